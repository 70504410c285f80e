/**
 * The first adapter of the payment provider: a bank in memory with its own books, for tests and simulations. It answers
 * as a real provider does, idempotency keys and all; a script may lose its answers.
 */

import { refuse } from '../errors.ts';
import type { Sha256 } from '../hash.ts';
import { money } from '../money.ts';
import { held, no, openMemoryBank, type Delivery, type MemoryBank } from './memory-bank.ts';
import type {
  Capabilities,
  Outcome,
  PaymentProvider,
  PaymentRequest,
  PayoutRequest,
  ProviderPayment,
  ProviderPayout,
  RefundRequest,
  WebhookNotice,
} from './payment-provider.ts';

export interface MemoryPaymentOptions {
  readonly sha256: Sha256;
  readonly nowMs: () => number;
  readonly secret?: string;
}

/** The bank's own side, which a real provider keeps to itself. */
export interface MemoryPaymentProvider extends PaymentProvider {
  /** The customer pays a waiting payment. The method `instant` needs no such call; `declined` is refused. */
  pay(providerId: string): void;
  /** The customer walks away from a waiting payment. */
  abandon(providerId: string): void;
  /** Ends every payout and refund that is under way; `fail` picks payouts that end as failed. */
  settle(fail?: (payout: ProviderPayout) => boolean): void;
  /** The answer to the next call gets lost after its effect. */
  loseNextAnswer(): void;
  /** Webhooks sent so far. */
  readonly deliveries: readonly Delivery[];
}

const capabilities: Capabilities = {
  currencies: ['USD'],
  partialRefund: true,
  instantPayout: true,
  minimum: money('USD', 1n),
  maximum: money('USD', 99_999_999n),
  idempotencyWindowMs: 86_400_000,
  maxHoldMs: 90 * 86_400_000,
};
const webhookToleranceMs = 300_000;

/** Opens an empty bank. */
export function memoryPaymentProvider(options: MemoryPaymentOptions): MemoryPaymentProvider {
  const bank = openMemoryBank(options.sha256, options.nowMs, options.secret ?? 'memory');
  const kinds = { payment: bank.payments, payout: bank.payouts, refund: bank.refunds };
  return {
    name: 'memory',
    mode: 'sandbox',
    capabilities: () => capabilities,
    createPayment: async (request) =>
      bank.once(
        request.idempotencyKey,
        request,
        (id) => held(bank.payments, id),
        () => makePayment(bank, request),
      ),
    createPayout: async (request) =>
      bank.once(
        request.idempotencyKey,
        request,
        (id) => held(bank.payouts, id),
        () => makePayout(bank, request),
      ),
    refund: async (request) =>
      bank.once(
        request.idempotencyKey,
        request,
        (id) => held(bank.refunds, id),
        () => makeRefund(bank, request),
      ),
    createRecipient: async (reference, idempotencyKey) =>
      bank.once(idempotencyKey, reference, String, () => {
        const id = bank.freshId('recipient');
        bank.recipients.add(id);
        return id;
      }),
    getPayment: async (id) => bank.answer(look(bank.payments, id)),
    getPayout: async (id) => bank.answer(look(bank.payouts, id)),
    getRefund: async (id) => bank.answer(look(bank.refunds, id)),
    async findByReference(kind, reference) {
      const found = [...kinds[kind].values()].find((one) => one.reference === reference);
      return bank.answer({ kind: 'ok', value: found && { providerId: found.providerId } });
    },
    listMovements: async (sinceMs) =>
      bank.answer({ kind: 'ok', value: bank.movements.filter((one) => one.atMs >= sinceMs) }),
    balance: async (currency) =>
      bank.answer({ kind: 'ok', value: money(currency, currency === 'USD' ? bank.balanceMinor() : 0n) }),
    handleWebhook: (raw, headers, nowMs) => readWebhook(bank, raw, headers, nowMs),
    pay(id) {
      const one = held(bank.payments, id);
      if (one.state === 'requires_action') succeed(bank, one);
    },
    abandon(id) {
      const one = held(bank.payments, id);
      if (one.state !== 'requires_action') return;
      bank.payments.set(id, { ...withoutAction(one), state: 'canceled' });
      bank.tell('payment', id);
    },
    settle: (fail = () => false) => settle(bank, fail),
    loseNextAnswer: () => bank.loseNextAnswer(),
    deliveries: bank.deliveries,
  };
}

function makePayment(bank: MemoryBank, request: PaymentRequest): string | Outcome<never> {
  const { reference, amount, method } = request;
  if (!capabilities.currencies.includes(amount.currency))
    return no('currency_unsupported', `no ${amount.currency} here`);
  if (amount.minor < capabilities.minimum.minor) return no('amount_too_small', 'below the minimum');
  if (amount.minor > capabilities.maximum.minor) return no('amount_too_large', 'above the maximum');
  if (method === 'declined') return no('card_declined', 'the card was declined');
  const providerId = bank.freshId('payment');
  const made = { providerId, reference, amount, state: 'requires_action', action: `memory:${providerId}` } as const;
  bank.payments.set(providerId, made);
  if (method === 'instant') succeed(bank, made);
  return providerId;
}

function succeed(bank: MemoryBank, one: ProviderPayment): void {
  const fee = money(one.amount.currency, 0n);
  bank.payments.set(one.providerId, { ...withoutAction(one), state: 'succeeded', fee, availableAtMs: bank.nowMs() });
  bank.move('payment', one, 1n);
  bank.tell('payment', one.providerId);
}

function makePayout(bank: MemoryBank, request: PayoutRequest): string | Outcome<never> {
  const { reference, amount, destination } = request;
  if (amount.minor <= 0n) return no('amount_too_small', 'a payout is positive');
  if (!bank.recipients.has(destination)) return no('recipient_unknown', 'no such recipient');
  if (amount.minor > bank.balanceMinor()) return no('balance_insufficient', 'the balance does not cover the payout');
  const made: ProviderPayout = { providerId: bank.freshId('payout'), reference, amount, state: 'in_transit' };
  bank.payouts.set(made.providerId, made);
  bank.move('payout', made, -1n);
  return made.providerId;
}

function makeRefund(bank: MemoryBank, request: RefundRequest): string | Outcome<never> {
  const { reference, amount } = request;
  const of = bank.payments.get(request.paymentProviderId);
  if (of?.state !== 'succeeded') return no('payment_not_refundable', 'no such payment, or it did not succeed');
  const before = [...bank.refunds.values()].filter((one) => one.of === of.providerId && one.state !== 'failed');
  const returned = before.reduce((sum, one) => sum + one.amount.minor, 0n);
  if (amount.minor <= 0n || returned + amount.minor > of.amount.minor) {
    return no('refund_too_large', 'more than is left of the payment');
  }
  const made = { providerId: bank.freshId('refund'), reference, amount, state: 'pending', of: of.providerId } as const;
  bank.refunds.set(made.providerId, made);
  bank.move('refund', made, -1n);
  return made.providerId;
}

function settle(bank: MemoryBank, fail: (payout: ProviderPayout) => boolean): void {
  for (const one of bank.payouts.values()) {
    if (one.state !== 'in_transit') continue;
    const failed = fail(one);
    bank.payouts.set(
      one.providerId,
      failed ? { ...one, state: 'failed', failure: 'account_closed' } : { ...one, state: 'paid' },
    );
    if (failed) bank.move('payout', one, 1n);
    bank.tell('payout', one.providerId);
  }
  for (const one of bank.refunds.values()) {
    if (one.state !== 'pending') continue;
    bank.refunds.set(one.providerId, { ...one, state: 'succeeded' });
    bank.tell('refund', one.providerId);
  }
}

function readWebhook(
  bank: MemoryBank,
  raw: Uint8Array,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): WebhookNotice {
  const [sentAt = '', signature = ''] = (headers['memory-signature'] ?? '').split('.');
  const sentAtMs = Number(sentAt);
  const fresh = /^\d{1,15}$/.test(sentAt) && Math.abs(nowMs - sentAtMs) <= webhookToleranceMs;
  if (!fresh || signature !== bank.sign(sentAtMs, raw)) {
    throw refuse('webhook.unverified', 'the signature does not match the body and the time', {});
  }
  const event = JSON.parse(new TextDecoder().decode(raw)) as Event;
  return { eventKey: event.id, object: event.object, providerId: event.providerId, occurredAtMs: event.at };
}

interface Event {
  readonly id: string;
  readonly object: WebhookNotice['object'];
  readonly providerId: string;
  readonly at: number;
}

function look<T>(map: ReadonlyMap<string, T>, id: string): Outcome<T> {
  const value = map.get(id);
  return value === undefined ? no('resource_missing', `nothing is called ${id}`) : { kind: 'ok', value };
}

function withoutAction(one: ProviderPayment): ProviderPayment {
  const { action: _, ...rest } = one;
  return rest;
}
