/**
 * What providers say, brought into the books. A movement only moves forward, whatever order news comes in: what is
 * through stays through, but a payout or a refund that was through may still come back, and money that arrives is booked
 * even where the payment had been given up.
 */

import type { PayoutId, TradeTx, TransferRow, TransferState } from '@assay/core';
import { applyPayment } from './apply-payment.ts';
import { applyPayout } from './apply-payout.ts';
import { applyRefund } from './apply-refund.ts';
import type { Observed } from './observed.ts';
import type { TradeDeps } from './trade-deps.ts';

export type ApplyDeps = Pick<TradeDeps, 'ids' | 'providers' | 'clock' | 'terms'>;

const rank: Readonly<Record<TransferState, number>> = {
  queued: 0,
  pending: 1,
  requires_action: 1,
  in_transit: 2,
  canceled: 3,
  failed: 3,
  succeeded: 4,
};

/** Whether `next` is news for a movement in `state`. */
export function isNews(kind: TransferRow['kind'], state: TransferState, next: TransferState): boolean {
  if (state === next) return false;
  const ended = next === 'failed' || next === 'canceled';
  if (state === 'succeeded') return kind !== 'payment' && ended;
  // What was given up may come through after all only as a payment: our own money did not leave twice.
  if (rank[state] === 3) return kind === 'payment' && next === 'succeeded';
  return rank[next] >= rank[state];
}

/** Books what the provider shows of a movement that is under our lock. */
export async function applyObserved(
  deps: ApplyDeps,
  tx: TradeTx,
  transfer: TransferRow,
  seen: Observed,
): Promise<void> {
  if (!isNews(transfer.kind, transfer.state, seen.state)) {
    if (transfer.providerId === null) await tx.transfers.change(transfer.id, { providerId: seen.providerId });
    return;
  }
  if (transfer.kind === 'payment') await applyPayment(deps, tx, transfer, seen);
  else if (transfer.kind === 'refund') await applyRefund(deps, tx, transfer, seen);
  else await applyPayout(deps, tx, transfer, seen);
  await tellChange(tx, transfer, seen.state);
}

/** Books a definite no: nothing left, nothing arrived. */
export async function applyRefusal(
  deps: ApplyDeps,
  tx: TradeTx,
  transfer: TransferRow,
  refusal: { readonly code: string; readonly message: string },
): Promise<void> {
  if (!isNews(transfer.kind, transfer.state, 'failed')) return;
  const { amount } = transfer;
  const seen = { amount, providerId: undefined, state: 'failed' as const, failure: refusal.code };
  if (transfer.kind === 'refund') await applyRefund(deps, tx, transfer, seen);
  else if (transfer.kind === 'payout') await applyPayout(deps, tx, transfer, seen);
  else await tx.transfers.change(transfer.id, { state: 'failed', failure: refusal.code });
  await tellChange(tx, transfer, 'failed');
}

async function tellChange(tx: TradeTx, transfer: TransferRow, state: TransferState): Promise<void> {
  const { id, kind, job, party } = transfer;
  await tx.trail.change({ kind: 'money', job, account: party, data: { transfer: id, kind, state } });
  if (kind === 'payout') await tellCustomers(tx, id as PayoutId, state);
}

/** A payout may pay for several jobs: whoever looks at one of them sees its share move. */
export async function tellCustomers(tx: TradeTx, payout: PayoutId, state: TransferState): Promise<void> {
  for (const { job, customer } of await tx.transfers.sharesOf(payout)) {
    await tx.trail.change({ kind: 'money', job, account: customer, data: { kind: 'payout', state } });
  }
}
