/** The docker driver's own bounds. */
export const bounds = {
  daemonConnections: 32,
  daemonAnswerMs: 60_000,
  daemonAnswerBytes: 16 * 1024 * 1024,
  /** Between two looks at a container's cgroup. */
  watchMs: 200,
  /** How long a container may take to leave by itself when it is told to. */
  leaveMs: 500,
  /** How long the kernel may take to freeze a container, and how much memory a frozen one may hold. */
  freezeMs: 50,
  restingBytes: 64 * 1024 * 1024,
  /** Processes and threads. gVisor's own threads count, and below 256 honest programs die of them. */
  processes: { runc: 128, runsc: 512 },
  /** Memory beside the unit's own: the collector, and gVisor's kernel. */
  overheadBytes: { runc: 32 * 1024 * 1024, runsc: 128 * 1024 * 1024 },
  /** What a container takes while it waits: the interpreter and what is imported ahead, and gVisor's kernel. */
  idleBytes: { runc: 40 * 1024 * 1024, runsc: 128 * 1024 * 1024 },
  memoryMinBytes: 64 * 1024 * 1024,
  memoryMaxBytes: 256 * 1024 ** 3,
  scratchMinBytes: 1024 * 1024,
  descriptors: 256,
  /** What the kernel may hold for a unit's sockets where it does not count that as the unit's memory. */
  socketBytes: 16 * 1024 * 1024,
  /** A unit ends when it has made so many sockets that what each has at first comes to this together. */
  socketBytesMost: 32 * 1024 * 1024,
  /** The daemon's word on why a container did not start, or the collector's last ones. */
  complaintChars: 2000,
  /** Containers that are started or removed at once. */
  starts: 2,
  removals: 1,
  /** How long removals and starts ahead stand back while units run. */
  standBackMs: 4000,
  standBackLookMs: 20,
  quietMs: 100,
  /**
   * Containers at once, whatever they do: the kernel holds 200 keyrings for a user, and each has one. Beyond that, or
   * where so much memory waits for removal, removals stand back no more and starts wait for them.
   */
  containers: 180,
  removalBytes: 2 * 1024 ** 3,
  /** Of these, those that wait for units. */
  poolCells: 128,
  /** Limits classes that a pool remembers. */
  poolClasses: 8,
  /** Tunnels: open at once, ever, bytes both ways, and times. */
  tunnelsOpen: 16,
  tunnels: 1000,
  tunnelBytes: 256 * 1024 * 1024,
  tunnelWindowBytes: 256 * 1024,
  tunnelPieceBytes: 32 * 1024,
  tunnelConnectMs: 10_000,
  /** Looking a tunnel's host up: each try, and how many. */
  resolveTryMs: 3000,
  resolveTries: 2,
  tunnelIdleMs: 60_000,
} as const;
