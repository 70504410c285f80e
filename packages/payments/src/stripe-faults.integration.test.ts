import { money, type Money, type Outcome, type PaymentProvider } from '@assay/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WireFault } from './simulator/fault-script.ts';
import { startStripeSimulator, type StripeSimulator } from './simulator/stripe-simulator.ts';
import { createStripeProvider, type StripeOptions } from './stripe-provider.ts';

const start = Date.UTC(2026, 10, 21, 12);
const hour = 3_600_000;
const secretKey = 'sk_test_faults';
const webhookSecret = 'whsec_faults';
const usd = (minor: bigint): Money => money('USD', minor);

let nowMs = start;
let simulator: StripeSimulator;
let provider: PaymentProvider;

function open(more: Partial<StripeOptions> = {}): PaymentProvider {
  const { host, port } = simulator;
  return createStripeProvider({
    name: 'stripe-us',
    mode: 'sandbox',
    secretKey,
    webhookSecret,
    currencies: ['USD', 'EUR'],
    maxHoldMs: 90 * 24 * hour,
    endpoint: { host, port },
    timeoutMs: 300,
    ...more,
  });
}

beforeEach(async () => {
  nowMs = start;
  simulator = await startStripeSimulator({ clock: { nowMs: () => nowMs }, secretKey, webhookSecret });
  provider = open();
});
afterEach(async () => {
  await simulator.stop();
});

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  throw new Error(`${outcome.kind}: ${outcome.message}`);
}

const reference = (serial: number): string =>
  `pay_${start.toString(16).padStart(12, '0')}7${String(serial).padStart(19, '0')}`;
const payment = {
  reference: reference(1),
  idempotencyKey: 'key-payment-1',
  amount: usd(500n),
  method: 'pm_card_visa',
  description: 'job',
};
const charges = (): number => Object.keys(simulator.bank.charges).length;
const transfers = (): number => Object.keys(simulator.bank.transfers).length;

async function payout(): Promise<Parameters<PaymentProvider['createPayout']>[0]> {
  value(await provider.createPayment({ ...payment, reference: reference(2), idempotencyKey: 'key-funding' }));
  const destination = value(await provider.createRecipient('acc_1', 'key-recipient'));
  return { reference: reference(3), idempotencyKey: 'key-payout-1', amount: usd(200n), destination };
}

/** Each fault: how often it must strike past the SDK's own second try, and whether the bank acted. */
const losses: readonly (readonly [WireFault, number, boolean])[] = [
  ['drop_before', 2, false],
  ['drop_after', 2, true],
  ['half_body', 1, true],
  ['silence', 1, true],
  ['fail_500', 1, false],
  ['happened_500', 1, true],
];

describe('an answer that is lost is unknown, and the same key settles it (rows 14, 16, 18)', () => {
  it.each(losses)('payment: %s', async (fault, times, happened) => {
    simulator.faults.onRequest(fault, { method: 'POST', path: '/v1/payment_intents' }, times);
    expect((await provider.createPayment(payment)).kind).toBe('unknown');
    expect(charges()).toBe(happened ? 1 : 0);
    const found = value(await provider.findByReference('payment', payment.reference));
    expect(found === undefined).toBe(!happened);
    const made = value(await provider.createPayment(payment));
    expect(made).toMatchObject({ state: 'succeeded', amount: usd(500n), reference: payment.reference });
    expect(value(await provider.findByReference('payment', payment.reference))).toEqual({
      providerId: made.providerId,
    });
    expect(charges()).toBe(1);
    expect(value(await provider.balance('USD'))).toEqual(usd(500n));
  });

  it.each(losses)('payout: %s', async (fault, times, happened) => {
    const request = await payout();
    simulator.faults.onRequest(fault, { method: 'POST', path: '/v1/transfers' }, times);
    expect((await provider.createPayout(request)).kind).toBe('unknown');
    expect(transfers()).toBe(happened ? 1 : 0);
    expect(value(await provider.findByReference('payout', request.reference)) === undefined).toBe(!happened);
    const made = value(await provider.createPayout(request));
    expect(made).toMatchObject({ state: 'paid', amount: usd(200n), reference: request.reference });
    expect(transfers()).toBe(1);
    expect(value(await provider.balance('USD'))).toEqual(usd(300n));
  });

  it.each(losses)('refund: %s', async (fault, times, happened) => {
    const { providerId } = value(await provider.createPayment(payment));
    const request = {
      reference: reference(4),
      idempotencyKey: 'key-refund-1',
      amount: usd(100n),
      paymentProviderId: providerId,
    };
    simulator.faults.onRequest(fault, { method: 'POST', path: '/v1/refunds' }, times);
    expect((await provider.refund(request)).kind).toBe('unknown');
    expect(value(await provider.findByReference('refund', request.reference)) === undefined).toBe(!happened);
    expect(value(await provider.refund(request))).toMatchObject({ state: 'succeeded', amount: usd(100n) });
    expect(Object.keys(simulator.bank.refunds)).toHaveLength(1);
    expect(value(await provider.balance('USD'))).toEqual(usd(400n));
  });

  it('one lost connection is bridged by the SDK under our key, and nothing is made twice', async () => {
    simulator.faults.onRequest('drop_after', { method: 'POST', path: '/v1/payment_intents' });
    expect(value(await provider.createPayment(payment)).state).toBe('succeeded');
    expect(charges()).toBe(1);
  });

  it('a 500 that the bank keeps for the key stays unknown however often it is sent (row 16)', async () => {
    simulator.faults.onRequest('kept_500', { method: 'POST', path: '/v1/payment_intents' });
    for (let i = 0; i < 3; i += 1) expect((await provider.createPayment(payment)).kind).toBe('unknown');
    expect(value(await provider.findByReference('payment', payment.reference))).toBeUndefined();
    expect(charges()).toBe(0);
  });

  it.each(['rate_limited', 'key_in_use'] as const)(
    '%s asks for patience under the same key (row 17)',
    async (fault) => {
      simulator.faults.onRequest(fault, { method: 'POST', path: '/v1/payment_intents' });
      expect((await provider.createPayment(payment)).kind).toBe('unknown');
      expect(value(await provider.createPayment(payment)).state).toBe('succeeded');
      expect(charges()).toBe(1);
    },
  );

  it('after the key’s window only a look-up tells; a resend would pay twice (row 15)', async () => {
    simulator.faults.onRequest('drop_after', { method: 'POST', path: '/v1/payment_intents' }, 2);
    expect((await provider.createPayment(payment)).kind).toBe('unknown');
    nowMs += provider.capabilities().idempotencyWindowMs + hour;
    expect(value(await provider.findByReference('payment', payment.reference))).toBeDefined();
    expect(charges()).toBe(1);
    await provider.createPayment(payment);
    expect(charges()).toBe(2);
  });

  it('reads that fail are unknown too, and a look-up that cannot see all is not a no', async () => {
    const { providerId } = value(await provider.createPayment(payment));
    simulator.faults.onRequest('fail_500', { method: 'GET', path: '/v1/payment_intents' }, 2);
    expect((await provider.getPayment(providerId)).kind).toBe('unknown');
    expect((await provider.findByReference('payment', reference(9))).kind).toBe('unknown');
    simulator.faults.onRequest('fail_500', { method: 'GET', path: '/v1/charges' });
    expect((await provider.findByReference('payment', payment.reference)).kind).toBe('unknown');
    expect(value(await provider.findByReference('payment', reference(9)))).toBeUndefined();
    expect(value(await provider.getPayment(providerId)).state).toBe('succeeded');
  });

  it('nobody at the address is unknown', async () => {
    await simulator.stop();
    expect((await provider.createPayment(payment)).kind).toBe('unknown');
    expect((await provider.balance('USD')).kind).toBe('unknown');
  });

  it('a wrong API key is unknown: it says nothing about what was sent before', async () => {
    expect((await open({ secretKey: 'sk_test_other' }).createPayment(payment)).kind).toBe('unknown');
    expect(value(await provider.createPayment(payment)).state).toBe('succeeded');
  });
});

describe('what the bank says is reported, not what we asked for (rows 10 and 11)', () => {
  it('another amount or currency', async () => {
    const { providerId } = value(await provider.createPayment(payment));
    const intent = simulator.bank.intents[providerId];
    Object.assign(intent ?? {}, { amount_received: 499n });
    expect(value(await provider.getPayment(providerId)).amount).toEqual(usd(499n));
    Object.assign(intent ?? {}, { currency: 'eur' });
    expect(value(await provider.getPayment(providerId)).amount).toEqual(money('EUR', 499n));
  });

  it.each([
    ['a currency that we do not know', { currency: 'xyz' }],
    ['a fraction of a cent', { amount_received: 499.5 }],
    ['an amount beyond whole numbers', { amount_received: 2 ** 53 }],
    ['the other mode', { livemode: true }],
    ['no metadata at all', { metadata: null }],
  ])('%s is unknown, never converted', async (_name, change) => {
    const { providerId } = value(await provider.createPayment(payment));
    Object.assign(simulator.bank.intents[providerId] ?? {}, change);
    expect((await provider.getPayment(providerId)).kind).toBe('unknown');
  });
});

describe('definite noes', () => {
  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_nobody', 'resource_missing'],
  ])('%s is refused as %s, and so is the same key again', async (method, code) => {
    for (let i = 0; i < 2; i += 1) {
      expect(await provider.createPayment({ ...payment, method })).toMatchObject({ kind: 'refused', code });
    }
    expect(charges()).toBe(0);
  });

  it('a declined payment is over: nobody else can confirm it', async () => {
    await provider.createPayment({ ...payment, method: 'pm_card_chargeDeclined' });
    const { providerId } = value(await provider.findByReference('payment', payment.reference)) ?? { providerId: '' };
    expect(value(await provider.getPayment(providerId)).state).toBe('canceled');
  });

  it.each([
    [49n, 'amount_too_small'],
    [100_000_000n, 'amount_too_large'],
    [0n, 'amount_too_small'],
    [-500n, 'amount_too_small'],
  ])('%i cents is refused here, before anything is sent', async (minor, code) => {
    expect(await provider.createPayment({ ...payment, amount: usd(minor) })).toMatchObject({ kind: 'refused', code });
    expect(simulator.bank.answers).toEqual({});
  });

  it('a balance that is short is refused, and paid under a new key when it is not (row 23)', async () => {
    const request = { ...(await payout()), amount: usd(501n) };
    expect(await provider.createPayout(request)).toMatchObject({ kind: 'refused', code: 'balance_insufficient' });
    value(await provider.createPayment({ ...payment, idempotencyKey: 'key-more' }));
    expect(await provider.createPayout(request)).toMatchObject({ kind: 'refused', code: 'balance_insufficient' });
    expect(value(await provider.createPayout({ ...request, idempotencyKey: 'key-payout-2' })).state).toBe('paid');
  });

  it('two payouts of the whole balance at once: one is refused (row 34)', async () => {
    const request = { ...(await payout()), amount: usd(500n) };
    const second = { ...request, reference: reference(9), idempotencyKey: 'key-payout-2' };
    const outcomes = await Promise.all([provider.createPayout(request), provider.createPayout(second)]);
    expect(outcomes.map((outcome) => outcome.kind).toSorted()).toEqual(['ok', 'refused']);
  });

  it('a payee whose account was closed is refused (row 22)', async () => {
    const request = await payout();
    await simulator.acts.setAccountOpen(request.destination, false);
    const code = 'insufficient_capabilities_for_transfer';
    expect(await provider.createPayout(request)).toMatchObject({ kind: 'refused', code });
  });

  it('refunds beyond the payment, or of a charged-back one, are refused (rows 29 and 32)', async () => {
    const { providerId: paymentProviderId } = value(await provider.createPayment(payment));
    const refund = (serial: number, minor: bigint): ReturnType<PaymentProvider['refund']> =>
      provider.refund({
        reference: reference(serial),
        idempotencyKey: `key-refund-${serial}`,
        amount: usd(minor),
        paymentProviderId,
      });
    expect((await refund(5, 300n)).kind).toBe('ok');
    expect((await refund(6, 201n)).kind).toBe('refused');
    await simulator.acts.disputePayment(paymentProviderId);
    expect(await refund(7, 100n)).toMatchObject({ kind: 'refused', code: 'refund_disputed_payment' });
  });
});

describe('the ways of money', () => {
  it('a payment that waits becomes paid, or not, by the customer', async () => {
    const { method: _method, ...waiting } = payment;
    const made = value(await provider.createPayment(waiting));
    expect(made).toMatchObject({ state: 'requires_action', action: expect.stringContaining('_secret_') });
    await simulator.acts.failPayment(made.providerId);
    expect(value(await provider.getPayment(made.providerId)).state).toBe('requires_action');
    await simulator.acts.completePayment(made.providerId);
    expect(value(await provider.getPayment(made.providerId))).not.toHaveProperty('action');
  });

  it('a bank debit is pending for days', async () => {
    const made = value(await provider.createPayment({ ...payment, method: 'pm_sepaDebit_success' }));
    expect(made.state).toBe('pending');
    await simulator.acts.completePayment(made.providerId);
    expect(value(await provider.getPayment(made.providerId)).state).toBe('succeeded');
  });

  it('a card that asks its owner needs an action', async () => {
    const made = value(await provider.createPayment({ ...payment, method: 'pm_card_authenticationRequired' }));
    expect(made.state).toBe('requires_action');
  });

  it('a payout that was paid comes back (row 21)', async () => {
    const { providerId } = value(await provider.createPayout(await payout()));
    expect(value(await provider.getPayout(providerId)).state).toBe('paid');
    await simulator.acts.returnTransfer(providerId);
    expect(value(await provider.getPayout(providerId))).toMatchObject({ state: 'failed', failure: 'reversed' });
    expect(value(await provider.balance('USD'))).toEqual(usd(500n));
  });

  it('a refund that was accepted fails (row 31)', async () => {
    const { providerId: paymentProviderId } = value(await provider.createPayment(payment));
    const refund = { reference: reference(5), idempotencyKey: 'key-refund-5', amount: usd(500n), paymentProviderId };
    const { providerId } = value(await provider.refund(refund));
    await simulator.acts.failRefund(providerId);
    expect(value(await provider.getRefund(providerId)).state).toBe('failed');
    expect(value(await provider.balance('USD'))).toEqual(usd(500n));
  });
});

describe('a charge that has not settled', () => {
  it('funds a payout only where it is named as its source, and says when it is available', async () => {
    await simulator.stop();
    const settlementSeconds = 2 * 86_400;
    simulator = await startStripeSimulator({
      clock: { nowMs: () => nowMs },
      secretKey,
      webhookSecret,
      settlementSeconds,
      feeFixed: 30n,
    });
    provider = open();
    const source = value(await provider.createPayment(payment));
    expect(source).toMatchObject({ fee: usd(30n), availableAtMs: start + settlementSeconds * 1000 });
    const destination = value(await provider.createRecipient('acc_1', 'key-recipient'));
    const request = { reference: reference(3), idempotencyKey: 'key-1', amount: usd(200n), destination };
    expect(await provider.createPayout(request)).toMatchObject({ kind: 'refused', code: 'balance_insufficient' });
    const funded = { ...request, idempotencyKey: 'key-2', sourcePaymentId: source.providerId };
    const made = value(await provider.createPayout(funded));
    expect(value(await provider.findByReference('payout', request.reference))).toEqual({ providerId: made.providerId });
    nowMs += settlementSeconds * 1000;
    const later = { ...request, reference: reference(4), idempotencyKey: 'key-3' };
    expect(value(await provider.createPayout(later)).state).toBe('paid');
  });

  it('cannot fund what was never paid', async () => {
    const { method: _method, ...waiting } = payment;
    const source = value(await provider.createPayment(waiting));
    const request = { ...(await payout()), sourcePaymentId: source.providerId };
    expect(await provider.createPayout(request)).not.toMatchObject({ kind: 'ok' });
    expect(transfers()).toBe(0);
  });
});

describe('movements', () => {
  it('carry our references, fees apart, and sum to the balance', async () => {
    const request = await payout();
    const { providerId: paymentProviderId } = value(await provider.createPayment(payment));
    const out = value(await provider.createPayout(request));
    const back = value(
      await provider.refund({
        reference: reference(5),
        idempotencyKey: 'key-refund-5',
        amount: usd(50n),
        paymentProviderId,
      }),
    );
    await simulator.acts.failRefund(back.providerId);
    await simulator.acts.returnTransfer(out.providerId);
    await simulator.acts.disputePayment(paymentProviderId);
    const movements = value(await provider.listMovements(start));
    expect(movements.map((each) => [each.kind, each.providerId, each.reference, each.amount.minor])).toEqual([
      ['payment', expect.stringMatching(/^pi_/), reference(2), 500n],
      ['payment', paymentProviderId, payment.reference, 500n],
      ['payout', out.providerId, request.reference, -200n],
      ['refund', back.providerId, reference(5), -50n],
      ['refund', back.providerId, reference(5), 50n],
      ['payout', out.providerId, undefined, 200n],
      ['other', expect.stringMatching(/^du_/), undefined, -500n],
    ]);
    const sum = movements.reduce((total, each) => total + each.amount.minor, 0n);
    expect(value(await provider.balance('USD')).minor).toBe(sum);
  });

  it('come from as many pages as there are, and so do look-ups', async () => {
    for (let serial = 1; serial <= 101; serial += 1) {
      value(
        await provider.createPayment({
          ...payment,
          reference: reference(serial),
          idempotencyKey: `key-many-${serial}`,
        }),
      );
    }
    expect(value(await provider.listMovements(start))).toHaveLength(101);
    const first = value(await provider.findByReference('payment', reference(1)));
    expect(value(await provider.getPayment(first?.providerId ?? '')).reference).toBe(reference(1));
  });
});
