/** What a container is created with: every measure, on every start, and the check that it came out so. */

import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { bounds } from './bounds.ts';
import { seccompProfile } from './seccomp.ts';

export type RuntimeName = 'runc' | 'runsc';

/** What decides a container apart from the unit that it will run; containers of one class are interchangeable. */
export interface CellClass {
  readonly runtime: RuntimeName;
  /** The image's id, `sha256:…`. */
  readonly image: string;
  readonly memoryBytes: number;
  readonly cpuCores: number;
  /** The one writable file system: inputs, scratch space and outputs. */
  readonly tmpfsBytes: number;
  readonly tmpfsFiles: number;
  /** The most of one file. */
  readonly fileBytes: number;
  /** Whether its unit may connect to hosts. */
  readonly connects: boolean;
  /** A command that is started before the unit comes. */
  readonly ahead: readonly string[];
}

export interface CellIdentity {
  readonly labels: Readonly<Record<string, string>>;
  /** A cgroup of the run's own, where the driver can read and remove it. */
  readonly cgroupParent?: string;
}

/** The body of `POST /containers/create`. */
export interface CreateBody {
  readonly Image: string;
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

const user = '65534:65534';
export const unitPath = '/usr/local/bin:/usr/bin:/bin';

/** What every process of a unit finds in its environment unless the unit says otherwise. */
export const baseEnvironment: Readonly<Record<string, string>> = {
  PATH: unitPath,
  HOME: '/tmp/job',
  TMPDIR: '/tmp',
  TZ: 'UTC',
  LANG: 'C.UTF-8',
  PYTHONHASHSEED: '0',
  // Sums in parallel depend on the number of threads, so that replicas would differ.
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  NUMEXPR_NUM_THREADS: '1',
  VECLIB_MAXIMUM_THREADS: '1',
  BLIS_NUM_THREADS: '1',
};

/** The devices of this machine by bus; processors and memory nodes are not among them. */
const deviceFolders = (): string[] => {
  try {
    return readdirSync('/sys/devices').filter((name) => name !== 'system');
  } catch {
    return [];
  }
};

/**
 * What a unit finds empty: what the daemon hides by itself, what tells one machine from others or what others do on it,
 * and terminals, of which the machine has so many for everybody. Processors and the own control group stay in sight,
 * because numerical libraries choose by them.
 */
const maskedPaths: readonly string[] = [
  ...'acpi asound kcore keys latency_stats sched_debug scsi timer_list timer_stats'
    .split(' ')
    .map((name) => `/proc/${name}`),
  ...'cmdline diskstats fs interrupts modules partitions softirqs sys/kernel/random/boot_id'
    .split(' ')
    .map((name) => `/proc/${name}`),
  ...'block bus class dev firmware fs/btrfs fs/ext4 fs/f2fs fs/fuse fs/xfs kernel module power'
    .split(' ')
    .map((name) => `/sys/${name}`),
  ...deviceFolders().map((name) => `/sys/devices/${name}`),
  '/dev/pts',
];

const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value });

/** The whole of it. */
export function createBody(cell: CellClass, identity: CellIdentity): CreateBody {
  const tmpfs = `rw,nosuid,nodev,noexec,size=${cell.tmpfsBytes},nr_inodes=${cell.tmpfsFiles},mode=0700,uid=65534,gid=65534`;
  const memory = cell.memoryBytes + bounds.overheadBytes[cell.runtime];
  return {
    Image: cell.image,
    Config: {
      Entrypoint: [],
      Cmd: ['/platform/shim', ...cell.ahead],
      User: user,
      WorkingDir: '/',
      Hostname: 'unit',
      Domainname: '',
      NetworkDisabled: true,
      Tty: false,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Env: Object.entries(baseEnvironment).map((pair) => pair.join('=')),
      Labels: identity.labels,
    },
    HostConfig: {
      Runtime: cell.runtime,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': tmpfs },
      IpcMode: 'none',
      CgroupnsMode: 'private',
      PidMode: '',
      UTSMode: '',
      UsernsMode: '',
      CapDrop: ['ALL'],
      CapAdd: null,
      Privileged: false,
      PublishAllPorts: false,
      GroupAdd: null,
      MaskedPaths: maskedPaths,
      SecurityOpt: ['no-new-privileges', `seccomp=${seccompProfile(cell.connects)}`],
      Memory: memory,
      MemorySwap: memory,
      OomScoreAdj: 500,
      OomKillDisable: false,
      NanoCpus: Math.round(cell.cpuCores * 1e9),
      CpuShares: 128,
      PidsLimit: bounds.processes[cell.runtime],
      ...(identity.cgroupParent === undefined ? {} : { CgroupParent: identity.cgroupParent }),
      Ulimits: [
        limit('nofile', bounds.descriptors),
        limit('core', 0),
        limit('fsize', cell.fileBytes),
        limit('memlock', 65_536),
        limit('msgqueue', 0),
        limit('sigpending', 256),
      ],
      Binds: null,
      Mounts: [],
      VolumesFrom: null,
      Devices: [],
      DeviceCgroupRules: null,
      DeviceRequests: null,
      Links: null,
      AutoRemove: false,
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      // The collector is the init process: it reaps, and ends what a unit leaves running.
      Init: false,
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

interface Inspected {
  readonly Image?: unknown;
  readonly Config?: Readonly<Record<string, unknown>>;
  readonly HostConfig?: Readonly<Record<string, unknown>>;
  readonly Mounts?: unknown;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> };
}

/** In what a started container differs from what was asked for, by the daemon's own word. */
export function differences(asked: CreateBody, found: unknown): string[] {
  const { Image, Config = {}, HostConfig = {}, Mounts, NetworkSettings } = (found ?? {}) as Inspected;
  const environment = Array.isArray(Config['Env']) ? (Config['Env'] as unknown[]) : [];
  const missing = (asked.Config['Env'] as unknown[]).filter((pair) => !environment.includes(pair));
  const networks = Object.keys(NetworkSettings?.Networks ?? {});
  const { NetworkDisabled: _disabled, ...config } = asked.Config;
  return [
    ...(Image === asked.Image ? [] : ['Image']),
    ...unlike('Config', config, Config),
    ...unlike('HostConfig', asked.HostConfig, HostConfig),
    ...unlike('Label', asked.Config['Labels'] as Settings, (Config['Labels'] ?? {}) as Settings),
    ...missing.map((pair) => `Env ${String(pair)}`),
    ...(Array.isArray(Mounts) && Mounts.length > 0 && asked.HostConfig['Binds'] === null ? ['Mounts'] : []),
    ...(networks.every((name) => name === asked.HostConfig['NetworkMode']) ? [] : ['Networks']),
  ];
}

type Settings = Readonly<Record<string, unknown>>;

function unlike(part: string, want: Settings, got: Settings): string[] {
  return Object.keys(want)
    .filter((key) => key !== 'Env' && key !== 'Labels' && !isDeepStrictEqual(plain(want[key]), plain(got[key])))
    .map((key) => `${part}.${key}`);
}

/** The daemon says nothing, null or an empty list where nothing was asked for. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null || value === false || value === '') return undefined;
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}
