/** A worker of this machine for a market at a URL: key, sandboxes and state in one folder. */

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidV7Source, type Clock, type SandboxDriver } from '@assay/core';
import { loadDeviceKey } from './device-key.ts';
import { localDriver } from './local-driver.ts';
import { removeHalfWritten } from './owner/half-written.ts';
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
  await removeHalfWritten(stateDir);
  const driver = shared ?? localDriver({ folder: join(stateDir, 'sandbox'), note: options.log, clock, settings });
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
