import { money, type Outcome, type PaymentProvider } from '@assay/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startStripeSimulator, type StripeSimulator } from './simulator/stripe-simulator.ts';
import { createStripeProvider } from './stripe-provider.ts';

const start = Date.UTC(2026, 10, 21, 12);
const hour = 3_600_000;
const keys = { secretKey: 'sk_test_lookup', webhookSecret: 'whsec_lookup' };

let nowMs = start;
let simulator: StripeSimulator;
let provider: PaymentProvider;
beforeEach(async () => {
  nowMs = start;
  simulator = await startStripeSimulator({ clock: { nowMs: () => nowMs }, ...keys });
  const { host, port } = simulator;
  const terms = { mode: 'sandbox', currencies: ['USD'], maxHoldMs: 90 * 24 * hour } as const;
  provider = createStripeProvider({ name: 'stripe-us', ...keys, ...terms, endpoint: { host, port } });
});
afterEach(() => simulator.stop());

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  throw new Error(`${outcome.kind}: ${outcome.message}`);
}

const reference = (serial: number, atMs = start): string =>
  `pay_${atMs.toString(16).padStart(12, '0')}7${String(serial).padStart(19, '0')}`;
const usd = money('USD', 500n);
const payment = (serial: number, more: { method?: string } = {}) => ({
  reference: reference(serial),
  idempotencyKey: `key-payment-${serial}`,
  amount: usd,
  description: 'job',
  ...more,
});
const paid = { method: 'pm_card_visa' };

/** Copies an object of the bank's so often that no look-up reads all of the list. */
function crowd<T extends { id: string; created: number }>(items: Record<string, T>, what: T, more: object = {}): void {
  const created = Math.floor(nowMs / 1000);
  for (let serial = 0; serial < 10_001; serial += 1) {
    const id = `${what.id}x${serial}`;
    items[id] = { ...what, ...more, id, created, metadata: { assay_reference: reference(1_000_000 + serial) } };
  }
}

const find = (kind: 'payment' | 'payout' | 'refund', serial: number, about: object = {}) =>
  provider.findByReference(kind, reference(serial), about);

describe('on an account with more than ten thousand newer objects', () => {
  it('a payment that took money is found by its group, whatever its age', async () => {
    const { providerId } = value(await provider.createPayment(payment(1, paid)));
    crowd(simulator.bank.intents, simulator.bank.intents[providerId]!);
    expect(value(await find('payment', 1))).toEqual({ providerId });
  });

  it('one that waits is found by search, and none is a no once search must know', async () => {
    const { providerId } = value(await provider.createPayment(payment(1)));
    crowd(simulator.bank.intents, simulator.bank.intents[providerId]!);
    expect((await find('payment', 1)).kind).toBe('unknown');
    expect((await find('payment', 2)).kind).toBe('unknown');
    nowMs += 3 * hour;
    crowd(simulator.bank.intents, { ...simulator.bank.intents[providerId]!, id: 'pi_later' });
    expect(value(await find('payment', 1))).toEqual({ providerId });
    expect(value(await find('payment', 2))).toBeUndefined();
  });

  it('a refund is found among those of its payment', async () => {
    const { providerId: paymentProviderId } = value(await provider.createPayment(payment(1, paid)));
    const asked = { reference: reference(2), idempotencyKey: 'key-refund-2', amount: usd, paymentProviderId };
    const { providerId } = value(await provider.refund(asked));
    crowd(simulator.bank.refunds, simulator.bank.refunds[providerId]!, { payment_intent: 'pi_other' });
    expect((await find('refund', 2)).kind).toBe('unknown');
    expect(value(await find('refund', 2, { paymentProviderId }))).toEqual({ providerId });
    expect(value(await find('refund', 3, { paymentProviderId }))).toBeUndefined();
  });

  it('a payout is found by its group, or among those to its payee where it names its source', async () => {
    const source = value(await provider.createPayment(payment(1, paid)));
    const destination = value(await provider.createRecipient('acc_1', 'key-recipient'));
    const half = { amount: money('USD', 250n), destination };
    const free = value(
      await provider.createPayout({ ...half, reference: reference(2), idempotencyKey: 'key-payout-2' }),
    );
    const sourced = value(
      await provider.createPayout({
        ...half,
        reference: reference(3),
        idempotencyKey: 'key-payout-3',
        sourcePaymentId: source.providerId,
      }),
    );
    const { transfers } = simulator.bank;
    crowd(transfers, transfers[free.providerId]!, { destination: 'acct_other', transfer_group: null });
    expect(value(await find('payout', 2))).toEqual({ providerId: free.providerId });
    expect((await find('payout', 3)).kind).toBe('unknown');
    expect(value(await find('payout', 3, { destination }))).toEqual({ providerId: sourced.providerId });
    expect(value(await find('payout', 4, { destination }))).toBeUndefined();
  });
});
