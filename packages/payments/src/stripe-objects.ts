/** Stripe's objects in the words of the port. What does not fit throws, which the caller reports as unknown. */

import {
  assert,
  isCurrency,
  money,
  type Money,
  type Movement,
  type PaymentState,
  type ProviderPayment,
  type ProviderPayout,
  type ProviderRefund,
  type RefundState,
} from '@assay/core';
import type { Stripe } from 'stripe';

/** The key of our reference in Stripe's metadata. */
export const referenceKey = 'assay_reference';
/** Set on payments that we confirm ourselves: nobody else can bring them to an end once the method was declined. */
export const confirmedByUsKey = 'assay_confirmed';

/** Minor units and a lower-case code, as Stripe writes amounts. */
export function moneyOf(wire: number, currency: string): Money {
  const code = currency.toUpperCase();
  assert(isCurrency(code), `a currency that we know, not ${code}`);
  assert(Number.isSafeInteger(wire), 'an amount in whole minor units');
  return money(code, BigInt(wire));
}

/** Minor units as Stripe's API takes them, which is as a JSON number. */
export function wireAmount(value: Money): number {
  const wire = Number(value.minor);
  assert(Number.isSafeInteger(wire), 'an amount that a JSON number holds');
  return wire;
}

/** Throws when an object belongs to the other mode. */
export function sameMode<T extends { livemode: boolean }>(mode: 'sandbox' | 'live', object: T): T {
  assert(object.livemode === (mode === 'live'), `an object of ${mode} mode`);
  return object;
}

/** A PaymentIntent, with its charge and balance transaction where they were expanded. */
export function paymentOf(intent: Stripe.PaymentIntent): ProviderPayment {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const booked = typeof charge?.balance_transaction === 'object' ? charge.balance_transaction : null;
  const state = paymentState(intent);
  return {
    providerId: intent.id,
    reference: intent.metadata[referenceKey] ?? '',
    state,
    amount: moneyOf(state === 'succeeded' ? intent.amount_received : intent.amount, intent.currency),
    ...(booked && { fee: moneyOf(booked.fee, booked.currency), availableAtMs: booked.available_on * 1000 }),
    ...(state === 'requires_action' && intent.client_secret !== null && { action: intent.client_secret }),
  };
}

const paymentStates: Readonly<Record<string, PaymentState>> = {
  succeeded: 'succeeded',
  canceled: 'canceled',
  requires_action: 'requires_action',
  requires_confirmation: 'requires_action',
};

function paymentState(intent: Stripe.PaymentIntent): PaymentState {
  if (intent.status === 'requires_payment_method') {
    return intent.metadata[confirmedByUsKey] === undefined ? 'requires_action' : 'canceled';
  }
  return paymentStates[intent.status] ?? 'pending';
}

/** A transfer to a payee's account. It is at the payee at once; a whole reversal brings it back. */
export function payoutOf(transfer: Stripe.Transfer): ProviderPayout {
  const base = {
    providerId: transfer.id,
    reference: transfer.metadata[referenceKey] ?? '',
    amount: moneyOf(transfer.amount, transfer.currency),
  };
  return transfer.reversed ? { ...base, state: 'failed', failure: 'reversed' } : { ...base, state: 'paid' };
}

/** A refund. */
export function refundOf(refund: Stripe.Refund): ProviderRefund {
  return {
    providerId: refund.id,
    reference: refund.metadata?.[referenceKey] ?? '',
    state: refundState(refund.status),
    amount: moneyOf(refund.amount, refund.currency),
  };
}

function refundState(status: string | null): RefundState {
  if (status === 'succeeded') return 'succeeded';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}

const movementKinds: Readonly<Record<string, Movement['kind']>> = {
  charge: 'payment',
  payment: 'payment',
  refund: 'refund',
  payment_refund: 'refund',
  refund_failure: 'refund',
  transfer: 'payout',
  transfer_refund: 'payout',
  transfer_cancel: 'payout',
  transfer_failure: 'payout',
  stripe_fee: 'fee',
};

/** One or two movements of a balance transaction: the amount, and the fee where there is one. */
export function movementsOf(entry: Stripe.BalanceTransaction): Movement[] {
  const source = sourceOf(entry);
  const at = { reference: source.reference, atMs: entry.created * 1000 };
  const movements: Movement[] = [
    {
      ...at,
      providerId: source.id,
      kind: movementKinds[entry.type] ?? 'other',
      amount: moneyOf(entry.amount, entry.currency),
    },
  ];
  if (entry.fee !== 0) {
    movements.push({ ...at, providerId: entry.id, kind: 'fee', amount: moneyOf(-entry.fee, entry.currency) });
  }
  return movements;
}

function sourceOf(entry: Stripe.BalanceTransaction): { id: string; reference: string | undefined } {
  const source = entry.source as unknown;
  if (typeof source !== 'object' || source === null) {
    return { id: typeof source === 'string' ? source : entry.id, reference: undefined };
  }
  const { object, id, metadata, payment_intent, transfer } = source as Readonly<Record<string, unknown>>;
  const owner = object === 'charge' ? payment_intent : object === 'transfer_reversal' ? transfer : id;
  const reference = (metadata as Readonly<Record<string, string>> | null | undefined)?.[referenceKey];
  return { id: typeof owner === 'string' ? owner : String(id), reference };
}
