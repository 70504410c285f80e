/** A worker of this machine for a market at a URL: key, sandboxes and state in one folder. */

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidV7Source, type Clock, type SandboxDriver } from '@assay/core';
import { audited, auditLog, severalDrivers, wasmDriver } from '@assay/sandbox';
import { loadDeviceKey } from './device-key.ts';
import { lockFolder } from './owner/folder-lock.ts';
import { usualSettings, type WorkerSettings } from './owner/settings.ts';
import { startWorker, type Worker, type WorkerOptions } from './start-worker.ts';
import { httpTransport } from './transport.ts';

export interface LocalWorkerOptions extends Pick<WorkerOptions, 'name' | 'log' | 'score' | 'gpu' | 'lie'> {
  readonly url: string;
  /** Of the provider whom the device works for. */
  readonly apiKey: string;
  /** The device's key and everything that it keeps; one worker at a time. */
  readonly stateDir: string;
  /** What differs from the usual settings. */
  readonly settings?: Partial<WorkerSettings>;
  /** Shared by the workers of one process; the worker's own when left out. */
  readonly driver?: SandboxDriver;
}

/** What of the settings decides how units run. */
export type SandboxSettings = Pick<WorkerSettings, 'sandbox' | 'prefer'>;

/** The sandbox drivers of this machine as one, with their runtimes, runs and audit log under `folder`. */
export function localDriver(
  folder: string,
  note: (text: string) => void,
  clock: Clock,
  settings: SandboxSettings = usualSettings,
): SandboxDriver {
  const wasm = wasmDriver({ cacheDir: join(folder, 'runtime'), workDir: join(folder, 'runs'), note });
  const driver = settings.sandbox === 'wasm' ? wasm : severalDrivers([wasm]);
  return audited(driver, auditLog(join(folder, 'audit'), clock));
}

/**
 * Opens the device's state and starts it; the same folder is the same worker. Faults `worker.running` where another
 * process has the folder.
 */
export async function openWorker(options: LocalWorkerOptions, clock: Clock): Promise<Worker> {
  const { url, apiKey, stateDir, driver: shared, settings: own, ...rest } = options;
  const settings = { ...usualSettings, ...own };
  const ids = uuidV7Source(() => clock.nowMs(), randomBytes);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(stateDir);
  const driver = shared ?? localDriver(join(stateDir, 'sandbox'), options.log, clock, settings);
  const release = async () => {
    if (!shared) await driver.close();
    await unlock();
  };
  try {
    const worker = await startWorker({
      ...rest,
      url,
      settings,
      deviceKey: await loadDeviceKey(join(stateDir, 'device.pem')),
      driver,
      transport: httpTransport({ baseUrl: url, apiKey, clock, ids }),
      workDir: stateDir,
      clock,
      ids,
    });
    const stop = async (): Promise<void> => {
      await worker.stop();
      await release();
    };
    return { ...worker, stop };
  } catch (error) {
    await release();
    throw error;
  }
}
