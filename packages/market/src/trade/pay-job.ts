/** Paying for a job: one movement at the region's provider at a time, however often the customer asks. */

import { newId, refuse, type AccountId, type JobId, type TransferRow } from '@assay/core';
import { lockOwnJob, refuseBanned } from './own-job.ts';
import { sendTransfer } from './pump-provider.ts';
import type { TradeDeps } from './trade-deps.ts';

export type PayDeps = Pick<TradeDeps, 'store' | 'ids' | 'providers' | 'clock' | 'terms'>;

export interface PayRequest {
  readonly customer: AccountId;
  readonly job: JobId;
  /** The provider's payment method; without one the payment waits for the customer's browser. */
  readonly method?: string;
}

/**
 * Asks the provider for the deposit and returns the payment as it then stands: one that is under way, or through, is
 * returned as it is. Refuses `job.not_found`, `job.wrong_state`, `payment.region_unavailable` and `payment.refused`;
 * while the outcome is not known the payment stays `queued`, and the provider is asked again later.
 */
export async function payJob(deps: PayDeps, request: PayRequest): Promise<TransferRow> {
  const payment = await deps.store.transaction(async (tx) => {
    const job = await lockOwnJob(tx, request.job, request.customer);
    await refuseBanned(tx, request.customer);
    deps.providers.forRegion(job.region);
    const payments = (await tx.transfers.ofJob(job.id)).filter((transfer) => transfer.kind === 'payment');
    const standing = payments.find((one) => one.bookedAs === 'escrow' || isUnderWay(one));
    if (standing) return standing;
    if (job.state !== 'created') {
      throw refuse('job.wrong_state', `a ${job.state} job takes no payment`, { state: job.state });
    }
    const id = newId('payment', deps.ids);
    const method = request.method ?? null;
    const attempt = payments.length + 1;
    const { customer: party, region, deposit: amount } = job;
    await tx.transfers.add({ kind: 'payment', id, job: job.id, party, region, amount, attempt, method });
    await tx.outbox.add({
      kind: 'payment',
      op: 'createPayment',
      ref: id,
      key: id,
      request: { region, currency: amount.currency, minor: amount.minor.toString(), method, description: job.name },
    });
    return await tx.transfers.find(id);
  });
  if (!payment) throw refuse('payment.unknown', 'the payment was not stored', {});
  if (payment.state !== 'queued') return payment;
  await sendTransfer(deps, payment.id);
  const sent = (await deps.store.transaction((tx) => tx.transfers.find(payment.id))) ?? payment;
  if (sent.state === 'failed') {
    throw refuse('payment.refused', `the payment provider refused: ${sent.failure}`, { payment: sent.id });
  }
  return sent;
}

function isUnderWay(transfer: TransferRow): boolean {
  return transfer.state === 'queued' || transfer.state === 'pending' || transfer.state === 'requires_action';
}
