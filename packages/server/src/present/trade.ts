/** Quotes, payments and disputes from the market's rows to the wire. */

import { moneyToJson, type DisputeRow, type TransferRow } from '@assay/core';
import type { QuotedManifest } from '@assay/market';
import type { Dispute } from '../api/schemas/job.ts';
import type { Payment } from '../api/schemas/money.ts';
import type { Quote } from '../api/schemas/quote.ts';
import { presentManifest } from './job.ts';
import { msOrNull } from './money.ts';

/** A priced manifest. */
export function presentQuote({ manifest, manifestHash, quote, deposit }: QuotedManifest): Quote {
  return {
    manifest: presentManifest(manifest),
    manifestHash,
    rateCard: quote.rateCard,
    units: quote.units,
    redundancy: quote.redundancy,
    replicas: quote.units * quote.redundancy,
    perReplica: moneyToJson(quote.perReplica),
    cap: moneyToJson(quote.cap),
    deposit: moneyToJson(deposit),
    budget: moneyToJson(quote.budget),
  };
}

const paymentStates = {
  queued: 'pending',
  pending: 'pending',
  in_transit: 'pending',
  requires_action: 'requires_action',
  succeeded: 'succeeded',
  canceled: 'canceled',
  failed: 'failed',
} as const satisfies Record<TransferRow['state'], Payment['state']>;

/** A payment of a job, at the provider of that name. */
export function presentPayment(row: TransferRow, provider: string): Payment {
  return {
    id: row.id,
    jobId: row.job ?? '',
    state: paymentStates[row.state],
    amount: moneyToJson(row.amount),
    provider,
    action: row.action,
    failure: row.failure,
  };
}

/** A dispute. */
export function presentDispute(row: DisputeRow): Dispute {
  return {
    id: row.id,
    jobId: row.job,
    state: row.state,
    reason: row.reason,
    outcome: row.outcome,
    openedAt: new Date(row.openedAtMs).toISOString(),
    resolvedAt: msOrNull(row.resolvedAtMs),
  };
}
