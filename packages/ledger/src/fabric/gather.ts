/** One answer for a call of many submissions, some of which the network did not take. */

import { Fault, type SubmissionOutcome } from '@assay/core';

/**
 * The outcomes, where at least one is known: what must be tried again by itself is a conflict then. Throws where none is,
 * and where trying again would not help. What did commit is known by its key when the caller sends it all again.
 */
export function gather(results: readonly PromiseSettledResult<SubmissionOutcome>[]): SubmissionOutcome[] {
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const final = failures.find((reason) => !isPassing(reason));
  if (final !== undefined) throw final;
  if (failures.length > 0 && failures.length === results.length) throw failures[0];
  return results.map((result) =>
    result.status === 'fulfilled' ? result.value : { kind: 'conflict', message: String(result.reason) },
  );
}

function isPassing(reason: unknown): boolean {
  return reason instanceof Fault && reason.retry;
}
