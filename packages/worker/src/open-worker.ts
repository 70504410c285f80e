/** The worker program's only place that picks adapters: HTTP to the market, the wasm driver, this machine's clock. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { uuidV7Source, type Clock, type SandboxDriver } from '@assay/core';
import { wasmDriver } from '@assay/sandbox';
import { loadDeviceKey } from './device-key.ts';
import type { Lie } from './run-replica.ts';
import { startWorker, type Worker } from './start-worker.ts';
import { httpTransport } from './transport.ts';

export interface WorkerSettings {
  /** Where the market is. */
  readonly url: string;
  /** Of the provider's account; used to register the device. */
  readonly apiKey: string;
  readonly name: string;
  /** The worker's own folder: its key, what it promised to reveal, its inputs. */
  readonly stateDir: string;
  /** Units that run at once. */
  readonly capacity: number;
  readonly log: (text: string) => void;
  /** Shared by the workers of one machine. */
  readonly driver?: SandboxDriver;
  readonly score?: number;
  /** FOR DEMONSTRATIONS AND TESTS ONLY: makes this worker dishonest. */
  readonly lie?: Lie;
}

/** The sandbox driver of this machine, with its staged runtime under `stateDir`. */
export function localDriver(stateDir: string, note: (text: string) => void): SandboxDriver {
  return wasmDriver({ cacheDir: join(stateDir, 'runtime'), workDir: join(stateDir, 'runs'), note });
}

/** Removes what a crash left behind, then registers and starts a worker. */
export async function openWorker(settings: WorkerSettings, clock: Clock): Promise<Worker> {
  const { url, apiKey, name, stateDir, capacity, log } = settings;
  const ids = uuidV7Source(
    () => clock.nowMs(),
    (count) => randomBytes(count),
  );
  const driver = settings.driver ?? localDriver(stateDir, log);
  if (settings.driver === undefined) await driver.sweep();
  return startWorker({
    name,
    transport: httpTransport({ baseUrl: url, apiKey, clock, ids }),
    deviceKey: await loadDeviceKey(join(stateDir, 'device-key.pem')),
    driver,
    workDir: join(stateDir, 'work'),
    capacity,
    clock,
    ids,
    log,
    ...(settings.score !== undefined && { score: settings.score }),
    ...(settings.lie && { lie: settings.lie }),
  });
}
