/** Keyed calls run once: their answers are stored and given again. */

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
    await abandonCall(db, call, begun.fence);
    throw error;
  }
}
