/** Refunds on their way: the movement and its message to the provider, in the transaction that takes the money out. */

import {
  assert,
  newId,
  type JournalAccount,
  type Money,
  type PaymentId,
  type RefundId,
  type RefundReason,
  type TradeTx,
  type TransferRow,
} from '@assay/core';
import { inFlight } from './accounts.ts';
import type { TradeDeps } from './trade-deps.ts';

/** A refund that was queued, and the account that its money must go into. */
export interface QueuedRefund {
  readonly id: RefundId;
  readonly account: JournalAccount;
}

/** Queues the return of `amount` of `payment`; the caller posts the amount into the refund's account. */
export async function queueRefund(
  deps: Pick<TradeDeps, 'ids'>,
  tx: TradeTx,
  payment: TransferRow,
  reason: RefundReason,
  amount: Money,
): Promise<QueuedRefund> {
  assert(payment.job !== null && payment.providerId !== null, 'only a payment that came through goes back');
  const id = newId('refund', deps.ids);
  const { job, party, region } = payment;
  await tx.transfers.add({ kind: 'refund', id, job, party, region, amount, payment: payment.id as PaymentId, reason });
  await tx.outbox.add({
    kind: 'refund',
    op: 'refund',
    ref: id,
    key: id,
    request: {
      region,
      currency: amount.currency,
      minor: amount.minor.toString(),
      paymentProviderId: payment.providerId,
    },
  });
  return { id, account: inFlight({ kind: 'refund', id }) };
}
