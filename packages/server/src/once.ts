/** Keyed calls run once: their answers are stored and given again. */

import { setTimeout as pause } from 'node:timers/promises';
import { Fault, limits } from '@assay/core';
import { beginCall, finishCall, abandonCall, type Database } from '@assay/store';

/** Who calls what under which key. */
export interface KeyedCall {
  readonly scope: string;
  readonly key: string;
  readonly requestHash: string;
}

/** An answer as it was sent. */
export interface SentAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Runs `run` unless the key was answered before. A refusal is not kept: it changed nothing, so the same key may try
 * again; a fault gives the key back too, and what was half done is idempotent by its own keys.
 */
export async function runOnce(db: Database, call: KeyedCall, run: () => Promise<SentAnswer>): Promise<SentAnswer> {
  const begun = await beginCall(db, call);
  if (begun.kind === 'answered') return begun.response;
  try {
    const answer = await run();
    await finishCall(db, call, begun.fence, { ...answer, headers: {} });
    return answer;
  } catch (error) {
    await giveBack(db, call, begun.fence);
    throw error;
  }
}

/** Gives the key back; where the database is away, as soon as it is there again, or at the latest when the lease is over. */
async function giveBack(db: Database, call: KeyedCall, fence: bigint): Promise<void> {
  if (await isGivenBack(db, call, fence)) return;
  const later = async (): Promise<void> => {
    for (let waited = 0; waited < limits.idempotencyLeaseMs; waited += limits.clientBackoffMs) {
      await pause(limits.clientBackoffMs, undefined, { ref: false });
      if (await isGivenBack(db, call, fence)) return;
    }
  };
  void later();
}

/** False where another try is worth it. */
async function isGivenBack(db: Database, call: KeyedCall, fence: bigint): Promise<boolean> {
  try {
    await abandonCall(db, call, fence);
    return true;
  } catch (error) {
    return !(error instanceof Fault && error.retry);
  }
}
