/** Finding things at Stripe again: by our reference, and all movements of a time. */

import { assert, limits, type LookupHints, type Movement } from '@assay/core';
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
/** How far Stripe's search may be behind its lists: an hour in an outage of theirs; usually less than a minute. */
const searchLagMs = 2 * 3_600_000;
/** Pages read in one look-up, which must end well within the lease of its message. */
const lookupPages = 50;

/**
 * The object whose metadata carries `reference`. Stripe's lists are consistent, its search is not; so lists are read,
 * narrowed by what Stripe can filter by and to the time from which the reference was made on. Undefined is a definite
 * "there is none".
 */
export async function findByReference(
  stripe: Stripe,
  kind: 'payment' | 'payout' | 'refund',
  reference: string,
  about: LookupHints = {},
): Promise<{ providerId: string } | undefined> {
  assert(/^[\w-]{1,100}$/.test(reference), 'a plain reference');
  if (kind === 'payment') return await findPayment(stripe, reference);
  if (kind === 'refund') {
    const { paymentProviderId: payment } = about;
    const filter = payment === undefined ? {} : { payment_intent: payment };
    return await findListed(reference, async (query) => await stripe.refunds.list({ ...query, ...filter }));
  }
  // A transfer has its reference as its group, but for one that names its source: that is in the group of its payment.
  const ofGroup = await stripe.transfers.list({ transfer_group: reference, limit: pageSize });
  const found = ofGroup.data.find((transfer) => carries(transfer, reference));
  if (found) return { providerId: found.id };
  const filter = about.destination === undefined ? {} : { destination: about.destination };
  return await findListed(reference, async (query) => await stripe.transfers.list({ ...query, ...filter }));
}

/**
 * PaymentIntents have no filter of use, but their charges have: a payment that took money is found by its group. One that
 * did not is found in the list or, where too many were made since, by Stripe's search, which has seen it by then: what
 * search may lack is so young that the key of its request still stands for it.
 */
async function findPayment(stripe: Stripe, reference: string): Promise<{ providerId: string } | undefined> {
  const charged = await stripe.charges.list({ transfer_group: reference, limit: pageSize });
  for (const { payment_intent: intent } of charged.data) {
    if (intent !== null) return { providerId: typeof intent === 'string' ? intent : intent.id };
  }
  let newestMs: number | undefined;
  try {
    return await findListed(reference, async (query) => {
      const page = await stripe.paymentIntents.list(query);
      newestMs ??= (page.data[0]?.created ?? 0) * 1000;
      return page;
    });
  } catch (error) {
    if (!(error instanceof TooMany)) throw error;
    const query = `metadata['${referenceKey}']:'${reference}'`;
    const { data } = await stripe.paymentIntents.search({ query, limit: pageSize });
    const found = data.find((intent) => carries(intent, reference));
    if (found) return { providerId: found.id };
    const madeMs = madeAtMs(reference);
    if (madeMs === undefined || (newestMs ?? 0) - madeMs < searchLagMs) throw error;
    return undefined;
  }
}

interface Listed {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>> | null;
}

function carries(object: Listed, reference: string): boolean {
  return object.metadata?.[referenceKey] === reference;
}

async function findListed(
  reference: string,
  list: (query: PageQuery) => Promise<Page<Listed>>,
): Promise<{ providerId: string } | undefined> {
  const madeMs = madeAtMs(reference);
  const since = madeMs === undefined ? undefined : Math.floor((madeMs - slackMs) / 1000);
  for await (const item of pages(list, since, lookupPages)) {
    if (carries(item, reference)) return { providerId: item.id };
  }
  return undefined;
}

/** All movements on the platform's balance since a time, oldest first. */
export async function listMovements(stripe: Stripe, sinceMs: number): Promise<Movement[]> {
  const list = async (query: PageQuery): Promise<Page<Stripe.BalanceTransaction>> =>
    await stripe.balanceTransactions.list({ ...query, expand: ['data.source'] });
  const movements: Movement[] = [];
  for await (const entry of pages(list, Math.floor(sinceMs / 1000), limits.providerPages))
    movements.unshift(...movementsOf(entry));
  return movements;
}

class TooMany extends Error {}

async function* pages<T extends { readonly id: string }>(
  list: (query: PageQuery) => Promise<Page<T>>,
  since: number | undefined,
  most: number,
): AsyncGenerator<T> {
  let after: string | undefined;
  for (let page = 0; page < most; page += 1) {
    const { data, has_more: more } = await list({
      limit: pageSize,
      ...(since !== undefined && { created: { gte: since } }),
      ...(after !== undefined && { starting_after: after }),
    });
    yield* data;
    after = data.at(-1)?.id;
    if (!more || after === undefined) return;
  }
  throw new TooMany(`more than ${most} pages since then: the answer is not known`);
}

/** The time in a reference that ends in a UUIDv7, as our ids do. */
function madeAtMs(reference: string): number | undefined {
  const match = /_([0-9a-f]{12})7[0-9a-f]{19}$/.exec(reference);
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
}
