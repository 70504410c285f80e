/** A job's whole deposit goes back to its customer. */

import { assert, type JobRow, type RefundReason, type TradeTx, type TransferRow } from '@assay/core';
import { entryOf, escrowOf } from './accounts.ts';
import { queueRefund } from './queue-refund.ts';
import type { TradeDeps } from './trade-deps.ts';

/** Empties the escrow into a refund and marks the job as refunded. */
export async function returnEscrow(
  deps: Pick<TradeDeps, 'ids'>,
  tx: TradeTx,
  job: JobRow,
  how: { readonly from: 'funded' | 'frozen'; readonly reason: RefundReason },
): Promise<void> {
  assert(job.charged !== null, 'a job with an escrow was charged');
  const payment = await fundingOf(tx, job);
  const refund = await queueRefund(deps, tx, payment, how.reason, job.charged);
  const posting = { debit: escrowOf(job.id), credit: refund.account, amount: job.charged };
  await tx.money.post({
    ...entryOf({ id: refund.id, job: job.id }, 'refund_sent', [posting]),
    key: `${job.id}/settlement`,
  });
  await tx.money.moveEscrow(job.id, how.from, 'refunded');
  await tx.jobs.step(job.id, { kind: 'refund', refunded: job.charged });
}

/** The payment that fills a job's escrow. */
export async function fundingOf(tx: TradeTx, job: JobRow): Promise<TransferRow> {
  const payment = (await tx.transfers.ofJob(job.id)).find((one) => one.bookedAs === 'escrow');
  assert(payment !== undefined, 'a funded job has its payment');
  return payment;
}
