/** Payments: the one that fits funds its job; every other cent that arrives is credited or held, and goes back. */

import {
  money,
  newId,
  transition,
  jobTable,
  type BookedAs,
  type JobRow,
  type JournalAccount,
  type Money,
  type RefundReason,
  type TradeTx,
  type TransferRow,
} from '@assay/core';
import { assetAt, creditOf, entryOf, escrowOf, feeAt, suspenseAt } from './accounts.ts';
import type { ApplyDeps } from './apply-transfer.ts';
import { queueLedger } from './ledger-call.ts';
import type { Observed } from './observed.ts';
import { queueRefund } from './queue-refund.ts';

/** Books a payment's new state; the payment is under our lock. */
export async function applyPayment(deps: ApplyDeps, tx: TradeTx, payment: TransferRow, seen: Observed): Promise<void> {
  const { state, providerId, action, failure } = seen;
  if (state !== 'succeeded') {
    await tx.transfers.change(payment.id, { state, providerId, action: action ?? null, failure: failure ?? null });
    return;
  }
  const job = payment.job === null ? undefined : await tx.jobs.lock(payment.job);
  const use = useOf(payment, job, seen.amount);
  const fee = seen.fee !== undefined && seen.fee.minor > 0n ? { fee: seen.fee } : {};
  const arrived = { state, providerId, received: seen.amount, bookedAs: use.as, action: null, failure: null, ...fee };
  await tx.transfers.change(payment.id, arrived);
  await bookArrival(deps, tx, payment, seen, use.as);
  if (use.as === 'escrow') await fundJob(deps, tx, use.job, seen);
  else await sendBack(deps, tx, payment, seen, use);
}

type Use =
  | { readonly as: 'escrow'; readonly job: JobRow }
  | { readonly as: 'credit' | 'suspense'; readonly why: RefundReason };

function useOf(payment: TransferRow, job: JobRow | undefined, received: Money): Use {
  const { amount } = payment;
  if (received.currency !== amount.currency || received.minor !== amount.minor)
    return { as: 'suspense', why: 'mismatch' };
  if (job?.state === 'created') return { as: 'escrow', job };
  return { as: 'credit', why: job && job.state !== 'cancelled' ? 'second_payment' : 'late_payment' };
}

async function bookArrival(
  deps: ApplyDeps,
  tx: TradeTx,
  payment: TransferRow,
  seen: Observed,
  as: BookedAs,
): Promise<void> {
  if (seen.amount.minor <= 0n) return;
  const provider = deps.providers.forRegion(payment.region);
  const asset = assetAt(provider);
  const credit: Record<BookedAs, JournalAccount> = {
    escrow: payment.job === null ? suspenseAt(provider) : escrowOf(payment.job),
    credit: creditOf(payment.party),
    suspense: suspenseAt(provider),
  };
  const postings = [{ debit: asset, credit: credit[as], amount: seen.amount }];
  if (seen.fee !== undefined && seen.fee.minor > 0n) {
    postings.push({ debit: feeAt(provider), credit: asset, amount: seen.fee });
  }
  await tx.money.post(entryOf(payment, `payment_to_${as}`, postings));
}

async function fundJob(deps: ApplyDeps, tx: TradeTx, job: JobRow, seen: Observed): Promise<void> {
  transition(jobTable, job.state, 'fund');
  await tx.jobs.step(job.id, { kind: 'fund', charged: seen.amount, commission: deps.terms.commission });
  const available = seen.availableAtMs === undefined ? {} : { fundsAvailableAtMs: seen.availableAtMs };
  await tx.money.moveEscrow(job.id, 'awaiting_payment', 'funded', available);
  const workUnits = job.manifest.parallelism.chunks;
  await tx.jobs.openUnits(
    job,
    Array.from({ length: workUnits }, () => newId('unit', deps.ids)),
  );
  await queueLedger(tx, job.id, 'Contract.activateContract', []);
}

async function sendBack(
  deps: ApplyDeps,
  tx: TradeTx,
  payment: TransferRow,
  seen: Observed,
  use: Extract<Use, { why: RefundReason }>,
): Promise<void> {
  const provider = deps.providers.forRegion(payment.region);
  const from = use.as === 'credit' ? creditOf(payment.party) : suspenseAt(provider);
  const amount = money(seen.amount.currency, seen.amount.minor);
  if (amount.minor > 0n) {
    const paid = { ...payment, providerId: seen.providerId };
    const refund = await queueRefund(deps, tx, paid, use.why, amount);
    await tx.money.post(
      entryOf({ ...refund, job: payment.job }, 'refund_sent', [{ debit: from, credit: refund.account, amount }]),
    );
  }
  const data = { job: payment.job, why: use.why, amount: amount.minor.toString(), currency: amount.currency };
  await tx.trail.audit({ actor: 'system', action: 'payment.returned', ref: payment.id, data });
}
