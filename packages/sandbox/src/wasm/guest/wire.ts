/** The frames between the driver and its child: a kind byte, the payload's length as 32 bits big-endian, the payload. */

/** What the child may say; the driver believes none of it further than a job's own claim. */
export const frameKinds = {
  ready: 1,
  stdout: 2,
  stderr: 3,
  /** A byte (0 exit, 1 a sealed import was called) and the exit code as 32 signed bits. */
  ended: 4,
  /** The size as 48 bits and the path in UTF-8; its bytes follow in `data` frames. */
  file: 5,
  data: 6,
  done: 7,
} as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** The most payload of one frame. */
export const frameBytes = 64 * 1024;

/** What the driver tells the child: one JSON line of this shape, its length before it, then the inputs' bytes. */
export interface GuestUnit {
  readonly entryPoint: string;
  readonly args: readonly string[];
  readonly outputDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly inputs: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly randomSeed: number | null;
  readonly epochMs: number | null;
  readonly memoryBytes: number;
  readonly scratchBytes: number;
  readonly scratchFiles: number;
}
