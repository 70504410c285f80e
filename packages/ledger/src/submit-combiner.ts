/** Lets submissions that wait at the same time share one transaction, and with it one wait for the disk. */

import { Fault, limits } from '@assay/core';

interface Waiting<Request, Outcome> {
  readonly requests: readonly Request[];
  resolve(outcomes: Outcome[]): void;
  reject(reason: unknown): void;
}

/** A function that commits what it is given together with whatever else waits when the writer is free. */
export function openCombiner<Request, Outcome>(
  commit: (requests: readonly Request[]) => Promise<Outcome[]>,
  weigh: (request: Request) => number = () => 1,
): (requests: readonly Request[]) => Promise<Outcome[]> {
  let waiting: Waiting<Request, Outcome>[] = [];
  let running = false;
  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const batch = takeBatch(waiting, weigh);
      waiting = waiting.slice(batch.length);
      await commitBatch(batch, commit);
    }
    running = false;
  };
  return (requests) =>
    new Promise((resolve, reject) => {
      if (requests.length === 0) {
        resolve([]);
        return;
      }
      waiting.push({ requests, resolve, reject });
      if (!running) void drain();
    });
}

function takeBatch<Request, Outcome>(
  waiting: readonly Waiting<Request, Outcome>[],
  weigh: (request: Request) => number,
): Waiting<Request, Outcome>[] {
  const batch: Waiting<Request, Outcome>[] = [];
  let size = 0;
  for (const one of waiting) {
    size += one.requests.reduce((sum, request) => sum + weigh(request), 0);
    if (batch.length > 0 && size > limits.ledgerGroup) break;
    batch.push(one);
  }
  return batch;
}

async function commitBatch<Request, Outcome>(
  batch: readonly Waiting<Request, Outcome>[],
  commit: (requests: readonly Request[]) => Promise<Outcome[]>,
): Promise<void> {
  try {
    const outcomes = await commit(batch.flatMap((one) => one.requests));
    let at = 0;
    for (const one of batch) {
      one.resolve(outcomes.slice(at, at + one.requests.length));
      at += one.requests.length;
    }
  } catch (error) {
    if (batch.length === 1 || error instanceof Fault) {
      for (const one of batch) one.reject(error);
      return;
    }
    // One bad request must not fail its neighbours.
    for (const one of batch) await commitBatch([one], commit);
  }
}
