/** Running a stranger's code: one unit in, captured outputs out. */

import type { Tree, TreeFile } from '../tree.ts';

export interface SandboxLimits {
  readonly wallMs: number;
  /** Cores that the unit may keep busy, fractions allowed; what the driver takes for one unit when left out. */
  readonly cpuCores?: number;
  readonly memoryBytes: number;
  /** All files that the unit writes. */
  readonly scratchBytes: number;
  readonly outputFiles: number;
  readonly outputBytes: number;
  /** Of stdout and stderr together. */
  readonly logBytes: number;
}

/** A file that the sandbox mounts read-only for the unit. */
export interface InputFile extends TreeFile {
  /** Where the driver reads the bytes on this machine. */
  readonly hostPath: string;
}

export interface SandboxUnit {
  /** Names the run in logs and in what a crash leaves behind. */
  readonly label: string;
  /** A runner of the allowlist, `platform-runner:python-3.14`. */
  readonly runner: string;
  readonly entryPoint: string;
  readonly args: readonly string[];
  /** Read-only under the unit's working folder. */
  readonly inputs: readonly InputFile[];
  /** Relative to the working folder; it exists when the unit starts, and what is written there is captured. */
  readonly outputDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Seeds hashing and random numbers where the manifest asks. */
  readonly randomSeed?: number;
  /** The instant that a deterministic clock starts at. */
  readonly epochMs?: number;
  /** The only hosts and ports that the unit may connect to; none when left out. */
  readonly network?: readonly NetworkTarget[];
  /** Asks for the machine's graphics processor; a driver that has none to give refuses. */
  readonly gpu?: boolean;
  readonly limits: SandboxLimits;
}

/** A host by its DNS name, never an address, and a TCP port. */
export interface NetworkTarget {
  readonly host: string;
  readonly port: number;
}

export type Ending =
  | { readonly kind: 'exit'; readonly code: number }
  | {
      readonly kind: 'killed';
      readonly why: 'wall' | 'memory' | 'scratch' | 'outputs' | 'log' | 'policy' | 'operator';
    }
  /** The driver failed, not the unit: nobody loses reputation for it. */
  | { readonly kind: 'infra'; readonly message: string };

export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** What a driver saw of a run beside its result, for the audit log. */
export interface RunEvidence {
  /** The signal that ended the unit's first process. */
  readonly signal?: string;
  /** Whether the kernel killed a process of the unit for its memory. */
  readonly outOfMemory?: boolean;
  /** Each connection that the unit asked its egress for. */
  readonly connections?: readonly (NetworkTarget & { readonly allowed: boolean; readonly bytes: number })[];
  /** Reached for something that no honest program needs: what it was. */
  readonly breach?: string;
}

export interface SandboxOutcome {
  readonly ending: Ending;
  readonly usage: Usage;
  readonly evidence: RunEvidence;
  /** Captured files by path; empty unless the ending is an exit. */
  readonly outputs: Tree;
  /** The folder on this machine where each file's bytes lie, named by their SHA-256, until `release` is called. */
  readonly outputRoot: string;
  release(): Promise<void>;
}

export interface LogSink {
  (stream: 'stdout' | 'stderr', text: string): void;
}

export interface DriverReport {
  readonly driver: string;
  readonly usable: boolean;
  /** Why not, or what it guarantees. */
  readonly detail: string;
  readonly runners: readonly RunnerReport[];
}

/** A runner that a driver can run. */
export interface RunnerReport {
  readonly runner: string;
  /** Pins everything that decides a result's bytes, so equal digests give equal results. */
  readonly digest: string;
  /** The driver that runs it, where it is not the one that reports. */
  readonly driver?: 'wasm' | 'docker';
  /** Units of it can be let out to the hosts that their manifest names. */
  readonly egress?: true;
  /** Units of it can be given a graphics processor. */
  readonly gpu?: true;
}

export interface SandboxDriver {
  readonly name: 'wasm' | 'docker' | 'several';
  probe(): Promise<DriverReport>;
  /**
   * Runs the unit and resolves only when no process of it can run again. Refuses `sandbox.refused` for a runner or limit
   * that the driver cannot hold; a unit's own failure is an outcome, not an error.
   */
  run(unit: SandboxUnit, log: LogSink, stop: AbortSignal): Promise<SandboxOutcome>;
  /** Removes what crashed runs left behind; returns how many leftovers there were. */
  sweep(): Promise<number>;
  /** Destroys what the driver keeps warm; runs that are under way end first. */
  close(): Promise<void>;
}
