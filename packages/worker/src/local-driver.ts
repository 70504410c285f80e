/** The sandbox drivers of this machine as one, by what its owner allows. Here every driver meets the agent. */

import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Clock, SandboxDriver } from '@assay/core';
import { allowedImages, audited, auditLog, dockerDriver, severalDrivers, wasmDriver } from '@assay/sandbox';
import { usualSettings, type WorkerSettings } from './owner/settings.ts';

/** What of the settings decides how units run. */
export type SandboxSettings = Pick<
  WorkerSettings,
  'sandbox' | 'prefer' | 'policy' | 'docker_socket' | 'images_dir' | 'warm' | 'memory_share'
>;

export interface LocalDriverOptions {
  /** Where runtimes, runs and the audit log lie. */
  readonly folder: string;
  readonly note: (text: string) => void;
  readonly clock: Clock;
  /** What differs from the usual settings. */
  readonly settings?: Partial<SandboxSettings>;
  /** The control group that containers are put below, where the engine has one of its own. */
  readonly cgroupParent?: string;
}

/** The drivers, with a line in the audit log before each start and one after. */
export function localDriver(options: LocalDriverOptions): SandboxDriver {
  const { folder, clock } = options;
  const settings = { ...usualSettings, ...options.settings };
  const made = { wasm: () => wasmOf(options), docker: () => dockerOf(options, settings) };
  const order = settings.prefer === 'docker' ? (['docker', 'wasm'] as const) : (['wasm', 'docker'] as const);
  const chosen = order.filter((name) => settings.sandbox === 'all' || settings.sandbox === name);
  return audited(severalDrivers(chosen.map((name) => made[name]())), auditLog(join(folder, 'audit'), clock));
}

function wasmOf({ folder, note }: LocalDriverOptions): SandboxDriver {
  return wasmDriver({ cacheDir: join(folder, 'runtime'), workDir: join(folder, 'runs'), note });
}

function dockerOf({ folder, note, cgroupParent }: LocalDriverOptions, settings: SandboxSettings): SandboxDriver {
  return dockerDriver({
    socketPath: settings.docker_socket,
    // Apart from the runs of the other driver: each sweeps its own leftovers.
    workDir: join(folder, 'docker-runs'),
    images: allowedImages(settings.images_dir),
    isolation: settings.policy,
    // What waits for units keeps memory that units need: half of what the owner leaves at most.
    warm: { cells: settings.warm, memoryBytes: (totalmem() * settings.memory_share) / 2 },
    note,
    ...(cgroupParent !== undefined && { cgroupParent }),
  });
}
