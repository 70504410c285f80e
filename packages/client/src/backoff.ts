/** Waiting between attempts. */

import { limits } from '@assay/core';

/** How long to wait before attempt `attempt` (from 1): doubling, with a random half so that clients do not march in step. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(limits.clientBackoffMaxMs, limits.clientBackoffMs * 2 ** (attempt - 1));
  return Math.ceil(whole * (0.5 + random() / 2));
}

/** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
