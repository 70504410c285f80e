/** What engines do alike with submissions before they run them. */

import {
  contractNames,
  limits,
  refuse,
  type ErrorCode,
  type LedgerIdentity,
  type Refusal,
  type Submission,
  type SubmissionOutcome,
} from '@assay/core';

/** A submission and who makes it. */
export interface Request {
  readonly submission: Submission;
  readonly as: LedgerIdentity;
}

/** A request whose key another one of the same call has. */
export interface Repeat {
  readonly index: number;
  readonly of: number;
}

/** A key that stands in one call twice has one outcome; `requests` say what was asked by whom. */
export function repeatedOutcome(
  requests: readonly unknown[],
  outcomes: readonly SubmissionOutcome[],
  index: number,
  of: number,
): SubmissionOutcome {
  const first = outcomes[of];
  if (first && JSON.stringify(requests[index]) === JSON.stringify(requests[of])) return first;
  return refused(refuse('idempotency.key_reused', 'the key stands in this call before, with another transaction'));
}

/** What is wrong with a submission before anybody runs it. */
export function problemOf({ contract, fn, args, idempotencyKey }: Submission): Refusal | undefined {
  if (!contractNames.includes(contract)) return refuse('ledger.unknown_function', 'no such contract');
  if (idempotencyKey.length === 0 || idempotencyKey.length > limits.ledgerKeyChars) {
    return refuse('request.malformed', `an idempotency key has 1 to ${limits.ledgerKeyChars} characters`);
  }
  if (args.length > limits.ledgerArgs || args.some((arg) => arg.length > limits.ledgerArgChars)) {
    return refuse('request.too_large', `at most ${limits.ledgerArgs} arguments of ${limits.ledgerArgChars} characters`);
  }
  // PostgreSQL's text holds no zero byte; what else is text travels inside JSON.
  if (idempotencyKey.includes('\0') || ![fn, idempotencyKey, ...args].every((text) => text.isWellFormed())) {
    return refuse('request.malformed', 'the submission holds broken characters');
  }
  return undefined;
}

/** A refusal as an outcome. */
export function refused({ code, message }: { readonly code: ErrorCode; readonly message: string }): SubmissionOutcome {
  return { kind: 'refused', code, message };
}
