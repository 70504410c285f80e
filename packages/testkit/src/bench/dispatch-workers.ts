/** The process of all simulated workers; its parent tells it where the server is and when to stop. */

import { randomBytes } from 'node:crypto';
import { uuidV7Source } from '@assay/core';
import { simulateWorker, type SimulatedDevice, type Tally } from './simulated-worker.ts';

/** What the parent says. */
export type ToWorkers =
  | {
      readonly kind: 'start';
      readonly port: number;
      readonly batch: number;
      readonly devices: readonly SimulatedDevice[];
    }
  | { readonly kind: 'stop' };

/** What the workers' process answers, once, after the stop. */
export type FromWorkers =
  | {
      readonly kind: 'done';
      readonly requests: number;
      readonly revealed: number;
      readonly latencies: readonly number[];
    }
  | { readonly kind: 'failed'; readonly text: string };

let stopped = false;
const nowMs = (): number => performance.timeOrigin + performance.now();

async function work(message: Extract<ToWorkers, { kind: 'start' }>): Promise<FromWorkers> {
  const ids = uuidV7Source(
    () => Math.floor(nowMs()),
    (count) => randomBytes(count),
  );
  const deps = { port: message.port, batch: message.batch, ids, nowMs, stopped: () => stopped };
  try {
    const tallies: Tally[] = await Promise.all(message.devices.map((device) => simulateWorker(device, deps)));
    return {
      kind: 'done',
      requests: tallies.reduce((sum, tally) => sum + tally.requests, 0),
      revealed: tallies.reduce((sum, tally) => sum + tally.revealed, 0),
      latencies: tallies.flatMap((tally) => tally.latencies),
    };
  } catch (error) {
    return { kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (message: ToWorkers) => {
  if (message.kind === 'stop') stopped = true;
  else void work(message).then((answer) => process.send?.(answer, () => process.disconnect()));
});
