/** Sends one exchange until it is answered, under one request id, so that a lost answer is given again. */

import type { ExchangeRequest } from '@assay/client';
import { limits, newId, Refusal, type ErrorCode, type IdSource, type Sha256Hex } from '@assay/core';
import { checkReply, type CheckedReply } from './reply.ts';
import type { WorkCalls } from './transport.ts';

export interface LaneDeps {
  readonly calls: WorkCalls;
  readonly ids: IdSource;
  readonly note: (text: string) => void;
}

/** Refusals after which the worker cannot go on. */
const fatalCodes: ReadonlySet<ErrorCode> = new Set(['worker.banned', 'worker.not_found', 'auth.bad_signature']);
const passingCodes: ReadonlySet<ErrorCode> = new Set([
  'request.rate_limited',
  'idempotency.in_progress',
  'request.stale',
]);

/** Whether the worker must end. */
export function isFatal(error: unknown): boolean {
  return error instanceof Refusal && fatalCodes.has(error.code);
}

/**
 * The checked answer. Outages are waited out with growing, jittered pauses; throws a `Refusal` of the whole request, or
 * the signal's reason.
 */
export async function exchangeOnce(
  deps: LaneDeps,
  body: ExchangeRequest,
  root: Sha256Hex,
  signal: AbortSignal,
): Promise<CheckedReply> {
  const request = newId('request', deps.ids);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return checkReply(await deps.calls.exchange(body, root, request, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refusal && !passingCodes.has(error.code)) throw error;
      if (attempt === 1) deps.note(`tries the server again: ${(error as Error).message}`);
      await retryPause(attempt, signal);
    }
  }
}

/** Doubles up to a bound; half of it is random, so that a thousand workers do not come back at once. */
async function retryPause(attempt: number, signal: AbortSignal): Promise<void> {
  const most = Math.min(limits.workerRetryMs * 2 ** (attempt - 1), limits.workerRetryMaxMs);
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      },
      most * (0.5 + Math.random() / 2),
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
