/** Finding things at Stripe again: by our reference, and all movements of a time. */

import { assert, limits, type Movement } from '@assay/core';
import type { Stripe } from 'stripe';
import { movementsOf, referenceKey } from './stripe-objects.ts';

interface Page<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
}

interface PageQuery {
  readonly limit: number;
  readonly created?: { readonly gte: number };
  readonly starting_after?: string;
}

const pageSize = 100;
/** How far our clock and Stripe's may differ when a reference's own time bounds a search. */
const slackMs = 15 * 60_000;

/**
 * The object whose metadata carries `reference`, by reading the lists from the time that the reference was made on: they
 * are consistent, which Stripe's search is not. Undefined is a definite "there is none".
 */
export async function findByReference(
  stripe: Stripe,
  kind: 'payment' | 'payout' | 'refund',
  reference: string,
): Promise<{ providerId: string } | undefined> {
  assert(/^[\w-]{1,100}$/.test(reference), 'a plain reference');
  const sinceMs = madeAtMs(reference);
  const since = sinceMs === undefined ? undefined : Math.floor((sinceMs - slackMs) / 1000);
  for await (const item of pages(lister(stripe, kind), since)) {
    if (item.metadata?.[referenceKey] === reference) return { providerId: item.id };
  }
  return undefined;
}

interface Listed {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>> | null;
}

function lister(stripe: Stripe, kind: 'payment' | 'payout' | 'refund'): (query: PageQuery) => Promise<Page<Listed>> {
  if (kind === 'payment') return async (query) => await stripe.paymentIntents.list(query);
  if (kind === 'refund') return async (query) => await stripe.refunds.list(query);
  return async (query) => await stripe.transfers.list(query);
}

/** All movements on the platform's balance since a time, oldest first. */
export async function listMovements(stripe: Stripe, sinceMs: number): Promise<Movement[]> {
  const list = async (query: PageQuery): Promise<Page<Stripe.BalanceTransaction>> =>
    await stripe.balanceTransactions.list({ ...query, expand: ['data.source'] });
  const movements: Movement[] = [];
  for await (const entry of pages(list, Math.floor(sinceMs / 1000))) movements.unshift(...movementsOf(entry));
  return movements;
}

async function* pages<T extends { readonly id: string }>(
  list: (query: PageQuery) => Promise<Page<T>>,
  since: number | undefined,
): AsyncGenerator<T> {
  let after: string | undefined;
  for (let page = 0; page < limits.providerPages; page += 1) {
    const { data, has_more: more } = await list({
      limit: pageSize,
      ...(since !== undefined && { created: { gte: since } }),
      ...(after !== undefined && { starting_after: after }),
    });
    yield* data;
    after = data.at(-1)?.id;
    if (!more || after === undefined) return;
  }
  throw new Error(`more than ${limits.providerPages} pages since then: the answer is not known`);
}

/** The time in a reference that ends in a UUIDv7, as our ids do. */
function madeAtMs(reference: string): number | undefined {
  const match = /_([0-9a-f]{12})7[0-9a-f]{19}$/.exec(reference);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}
