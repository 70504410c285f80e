/** A worker of this machine for a market at a URL: key, sandbox and state in one folder. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { uuidV7Source, type Clock, type SandboxDriver } from '@assay/core';
import { audited, auditLog, wasmDriver } from '@assay/sandbox';
import { loadDeviceKey } from './device-key.ts';
import { startWorker, type Worker, type WorkerOptions } from './start-worker.ts';
import { httpTransport } from './transport.ts';

export interface LocalWorkerOptions extends Pick<WorkerOptions, 'name' | 'capacity' | 'log' | 'score' | 'lie'> {
  readonly url: string;
  /** Of the provider whom the device works for. */
  readonly apiKey: string;
  /** The device's key and everything that it keeps; one worker at a time. */
  readonly stateDir: string;
  /** Shared by the workers of one process; the worker's own when left out. */
  readonly driver?: SandboxDriver;
}

/** The sandbox driver for this machine, with its runtime, runs and audit log under `folder`. */
export function localDriver(folder: string, note: (text: string) => void, clock: Clock): SandboxDriver {
  const driver = wasmDriver({ cacheDir: join(folder, 'runtime'), workDir: join(folder, 'runs'), note });
  return audited(driver, auditLog(join(folder, 'audit'), clock));
}

/** Opens the device's state and starts it; the same folder is the same worker. */
export async function openWorker(options: LocalWorkerOptions, clock: Clock): Promise<Worker> {
  const { url, apiKey, stateDir, driver: shared, ...rest } = options;
  const ids = uuidV7Source(() => clock.nowMs(), randomBytes);
  const driver = shared ?? localDriver(join(stateDir, 'sandbox'), options.log, clock);
  const release = () => (shared ? undefined : driver.close());
  try {
    const worker = await startWorker({
      ...rest,
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
