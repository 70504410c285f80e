/** What providers say about movements, in one shape. */

import type { Money, Outcome, PaymentProvider, TransferRow, TransferState } from '@assay/core';

/** A movement as its provider shows it. */
export interface Observed {
  readonly providerId: string;
  readonly state: TransferState;
  readonly amount: Money;
  readonly fee?: Money | undefined;
  readonly availableAtMs?: number | undefined;
  readonly action?: string | undefined;
  readonly failure?: string | undefined;
}

/** Reads a movement again by the provider's id of it. */
export async function observe(
  provider: PaymentProvider,
  kind: TransferRow['kind'],
  providerId: string,
): Promise<Outcome<Observed>> {
  if (kind === 'payment') return mapped(await provider.getPayment(providerId), (payment) => payment);
  if (kind === 'refund') return mapped(await provider.getRefund(providerId), (refund) => refund);
  return mapped(await provider.getPayout(providerId), payoutSeen);
}

/** Sends a movement, under its own id as the reference and the key, both fixed before the first sending. */
export async function send(
  provider: PaymentProvider,
  transfer: TransferRow,
  request: Readonly<Record<string, unknown>>,
): Promise<Outcome<Observed>> {
  const common = { reference: transfer.id, idempotencyKey: transfer.id, amount: transfer.amount };
  if (transfer.kind === 'payment') {
    const description = String(request['description']);
    const method = transfer.method === null ? {} : { method: transfer.method };
    return mapped(await provider.createPayment({ ...common, ...method, description }), (payment) => payment);
  }
  if (transfer.kind === 'refund') {
    const paymentProviderId = String(request['paymentProviderId']);
    return mapped(await provider.refund({ ...common, paymentProviderId }), (refund) => refund);
  }
  return mapped(await provider.createPayout({ ...common, destination: transfer.destination ?? '' }), payoutSeen);
}

function payoutSeen(payout: { providerId: string; state: string; amount: Money; failure?: string }): Observed {
  const state = payout.state === 'paid' ? 'succeeded' : (payout.state as TransferState);
  return { providerId: payout.providerId, state, amount: payout.amount, failure: payout.failure };
}

function mapped<A, B>(outcome: Outcome<A>, map: (value: A) => B): Outcome<B> {
  return outcome.kind === 'ok' ? { kind: 'ok', value: map(outcome.value) } : outcome;
}
