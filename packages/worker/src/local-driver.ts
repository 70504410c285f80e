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
  const made = { wasm: () => wasmOf(options, settings), docker: () => dockerOf(options, settings) };
  const order = settings.prefer === 'docker' ? (['docker', 'wasm'] as const) : (['wasm', 'docker'] as const);
  const chosen = order
    .filter((name) => settings.sandbox === 'all' || settings.sandbox === name)
    .map((name) => made[name]())
    .map((driver, _, all) => (all.length > 1 ? telling(driver, options.note, absentOf(driver, settings)) : driver));
  const [only, ...more] = chosen;
  const driver = only !== undefined && more.length === 0 ? only : severalDrivers(chosen);
  return audited(driver, auditLog(join(folder, 'audit'), clock));
}

/** The runners that are lost with a driver; WebAssembly's are in its program. */
function absentOf(driver: SandboxDriver, { images_dir: folder }: SandboxSettings): readonly string[] {
  return driver.name === 'docker' ? allowedImages(folder).map(({ runner }) => runner) : [];
}

/** The driver, which says when a probe finds it unusable: beside another one nothing else would. */
function telling(driver: SandboxDriver, note: (text: string) => void, lost: readonly string[]): SandboxDriver {
  let told: string | undefined;
  return {
    ...driver,
    async probe() {
      const report = await driver.probe();
      const why = report.usable ? undefined : report.detail;
      const names = lost.length === 0 ? '' : `; of ${lost.join(', ')} only what WebAssembly has is offered`;
      if (why !== undefined && why !== told) note(`no unit runs in ${driver.name}: ${why}${names}`);
      told = why;
      return report;
    },
  };
}

function wasmOf({ folder, note }: LocalDriverOptions, settings: SandboxSettings): SandboxDriver {
  const [cacheDir, workDir] = [join(folder, 'runtime'), join(folder, 'runs')];
  return wasmDriver({ cacheDir, workDir, note, warm: warmOf(settings) });
}

/** What waits for units keeps memory that units need: half of what the owner leaves at most, for all drivers. */
function warmOf({ sandbox, warm, memory_share: share }: SandboxSettings) {
  return { cells: warm, memoryBytes: (totalmem() * share) / (sandbox === 'all' ? 4 : 2) };
}

function dockerOf({ folder, note, cgroupParent }: LocalDriverOptions, settings: SandboxSettings): SandboxDriver {
  return dockerDriver({
    socketPath: settings.docker_socket,
    // Apart from the runs of the other driver: each sweeps its own leftovers.
    workDir: join(folder, 'docker-runs'),
    images: allowedImages(settings.images_dir),
    isolation: settings.policy,
    warm: warmOf(settings),
    note,
    ...(cgroupParent !== undefined && { cgroupParent }),
  });
}
