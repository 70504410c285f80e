/** From a key, a driver and a transport to a working agent. */

import { join } from 'node:path';
import { Fault, limits, parseId, type Clock, type IdSource, type SandboxDriver, type WorkerId } from '@assay/core';
import type { Machine } from '@assay/client';
import { mkdir, readFile } from 'node:fs/promises';
import { startAgent, type Agent } from './agent.ts';
import { cpuScore, describeMachine } from './benchmark.ts';
import type { DeviceKey } from './device-key.ts';
import { writeDurably } from './durable-file.ts';
import { inputCache } from './input-cache.ts';
import type { Lie } from './run-replica.ts';
import type { WorkTransport } from './transport.ts';

export interface WorkerOptions {
  /** What people call this device. */
  readonly name: string;
  readonly transport: WorkTransport;
  readonly deviceKey: DeviceKey;
  readonly driver: SandboxDriver;
  /** The worker's own folder; one worker at a time. */
  readonly workDir: string;
  /** Units that run at once. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Told what an operator should know, in one sentence each. */
  readonly log: (text: string) => void;
  /** The speed of a core, measured when left out. */
  readonly score?: number;
  readonly cacheBytes?: number;
  /** FOR DEMONSTRATIONS AND TESTS ONLY: makes this worker dishonest. */
  readonly lie?: Lie;
}

export interface Worker extends Agent {
  readonly workerId: WorkerId;
  readonly machine: Machine;
}

/** Probes the driver, registers the device and starts the agent. Faults `sandbox.unavailable`. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { transport, deviceKey, driver, workDir, capacity, clock, ids, log } = options;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > limits.workerReplicas) {
    throw new RangeError(`a worker runs 1 to ${limits.workerReplicas} units at once`);
  }
  const report = await driver.probe();
  if (!report.usable) throw new Fault('sandbox.unavailable', report.detail, { retry: false });
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const machine = describeMachine(report, capacity, options.score ?? cpuScore());
  const workerId = await identify(options, machine);
  const cache = inputCache({
    folder: join(workDir, 'inputs'),
    maxBytes: options.cacheBytes ?? limits.workerCacheBytes,
    clock,
  });
  const agent = await startAgent({
    worker: workerId,
    calls: transport.connect(workerId, deviceKey),
    driver,
    cache,
    workDir,
    capacity,
    ids,
    note: log,
    ...(options.lie ? { lie: options.lie } : {}),
  });
  return { ...agent, workerId, machine };
}

/** The worker's id: from the server, or from an earlier start while the server cannot be reached. */
async function identify(options: WorkerOptions, machine: Machine): Promise<WorkerId> {
  const { publicKey } = options.deviceKey;
  const path = join(options.workDir, 'worker.json');
  try {
    const workerId = await options.transport.register(options.name, publicKey, machine);
    await writeDurably(path, JSON.stringify({ workerId, publicKey }));
    return workerId;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const known = await readFile(path, 'utf8').then(
      (text) => JSON.parse(text) as { workerId?: unknown; publicKey?: unknown },
      () => undefined,
    );
    const workerId = parseId('worker', known?.workerId);
    if (workerId === undefined || known?.publicKey !== publicKey) throw error;
    options.log(`the server does not answer yet: ${error.message}`);
    return workerId;
  }
}
