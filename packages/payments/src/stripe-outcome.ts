/** From what the Stripe SDK throws to one of three outcomes: yes, a definite no, or not known. */

import type { Outcome } from '@assay/core';
import { Stripe } from 'stripe';

/**
 * Statuses that Stripe answers when it has looked at a request and did nothing. Not among them: 401 and 403 (our keys are
 * wrong, which says nothing about an earlier try), 409 and 429 (it did not look), 5xx (it may have acted).
 */
const definiteNo: ReadonlySet<number> = new Set([400, 402, 404, 422]);

/** Runs one call with its mapping; never throws. */
export async function attempt<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'ok', value: await call() };
  } catch (error) {
    return outcomeOf(error);
  }
}

/** A definite no of our own, before anything was sent. */
export function refused(code: string, message: string): { kind: 'refused'; code: string; message: string } {
  return { kind: 'refused', code, message };
}

function outcomeOf(error: unknown): Exclude<Outcome<never>, { kind: 'ok' }> {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Stripe.errors.StripeError)) return { kind: 'unknown', message };
  const looked = definiteNo.has(error.statusCode ?? 0);
  // A reused key says that the first request under it may have taken effect; a rate limit may come as a 400.
  const undecided =
    error instanceof Stripe.errors.StripeIdempotencyError || error instanceof Stripe.errors.StripeRateLimitError;
  if (!looked || undecided) return { kind: 'unknown', message };
  return refused(error.decline_code || error.code || 'refused', message);
}
