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
  /** Lets each worker finish its request and send no other, until `resume`, which also counts anew. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' };

/** What the workers' process answers: once paused, and after the stop. */
export type FromWorkers =
  | { readonly kind: 'paused' }
  | ({ readonly kind: 'done' } & Tally)
  | { readonly kind: 'failed'; readonly text: string };

const nowMs = (): number => performance.timeOrigin + performance.now();
const tally: Tally = { requests: 0, revealed: 0, latencies: [] };
let stopped = false;
let workers = 0;
let paused: { readonly until: Promise<void>; readonly resume: () => void; waiting: number } | undefined;

function gate(): Promise<void> | undefined {
  if (!paused) return undefined;
  paused.waiting += 1;
  if (paused.waiting === workers) tell({ kind: 'paused' });
  return paused.until;
}

let drawn = randomBytes(0);

/** Random bytes cut from a larger draw: what workers cost is not measured for its own sake. */
function random(count: number): Buffer {
  if (drawn.length < count) drawn = randomBytes(65_536);
  const cut = drawn.subarray(0, count);
  drawn = drawn.subarray(count);
  return cut;
}

async function work({ port, batch, devices }: Extract<ToWorkers, { kind: 'start' }>): Promise<FromWorkers> {
  const ids = uuidV7Source(() => Math.floor(nowMs()), random);
  workers = devices.length;
  const deps = { port, batch, ids, random, nowMs, gate, tally, stopped: () => stopped };
  try {
    await Promise.all(devices.map((device) => simulateWorker(device, deps)));
    return { kind: 'done', ...tally };
  } catch (error) {
    return { kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function pause(): void {
  const { promise: until, resolve } = Promise.withResolvers<void>();
  paused = { until, resume: resolve, waiting: 0 };
}

function resume(): void {
  tally.requests = 0;
  tally.revealed = 0;
  tally.latencies.splice(0);
  paused?.resume();
  paused = undefined;
}

function tell(answer: FromWorkers, then: () => void = () => undefined): void {
  process.send?.(answer, then);
}

process.on('message', (message: ToWorkers) => {
  if (message.kind === 'stop') stopped = true;
  else if (message.kind === 'pause') pause();
  else if (message.kind === 'resume') resume();
  else void work(message).then((answer) => tell(answer, () => process.disconnect()));
});
