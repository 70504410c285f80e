/** What every payment provider must do; each adapter runs this suite, against its simulator or its sandbox. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../errors.ts';
import { add, money, times, type Money } from '../money.ts';
import type { Outcome, PaymentProvider, PaymentRequest, ProviderPayment } from './payment-provider.ts';

export interface PaymentProviderHarness {
  readonly provider: PaymentProvider;
  /** An amount within the provider's bounds. */
  readonly amount: Money;
  /** A payment method that succeeds at once, and one that is refused, as `PaymentRequest.method` names them. */
  readonly methods: { readonly instant: string; readonly declined: string };
  nowMs(): number;
  /** The customer pays a waiting payment. */
  pay(providerId: string): Promise<void>;
  /** The customer walks away from a waiting payment. */
  abandon(providerId: string): Promise<void>;
  /** Lets payouts and refunds under way reach their end. */
  settle(): Promise<void>;
  /** The answer to the next call of the provider gets lost after its effect. */
  loseNextAnswer(): void;
  /** Webhooks sent so far, as they arrived. */
  deliveries(): Promise<readonly { readonly raw: Uint8Array; readonly headers: Readonly<Record<string, string>> }[]>;
  close?(): Promise<void>;
}

let serial = 0;
function fresh(): { reference: string; idempotencyKey: string } {
  serial += 1;
  return {
    reference: `ref_${String(serial).padStart(8, '0')}`,
    idempotencyKey: `key-${String(serial).padStart(8, '0')}`,
  };
}

/** Runs the suite on the provider that `make` opens. */
export function paymentProviderConformance(name: string, make: () => Promise<PaymentProviderHarness>): void {
  describe(`payment provider: ${name}`, () => {
    let harness: PaymentProviderHarness;
    let provider: PaymentProvider;
    const request = (more: Partial<PaymentRequest> = {}): PaymentRequest => ({
      ...fresh(),
      amount: harness.amount,
      description: 'conformance',
      ...more,
    });
    const paid = async (): Promise<ProviderPayment> =>
      value(await provider.createPayment(request({ method: harness.methods.instant })));
    beforeAll(async () => {
      harness = await make();
      provider = harness.provider;
    });
    afterAll(async () => harness.close?.());

    it('states abilities that make sense', () => {
      const { currencies, minimum, maximum, idempotencyWindowMs, maxHoldMs } = provider.capabilities();
      expect(currencies).toContain(harness.amount.currency);
      expect(minimum.minor).toBeLessThanOrEqual(harness.amount.minor);
      expect(maximum.minor).toBeGreaterThanOrEqual(harness.amount.minor);
      expect(idempotencyWindowMs).toBeGreaterThanOrEqual(86_400_000);
      expect(maxHoldMs).toBeGreaterThan(0);
    });

    it('opens a payment that waits for the customer and succeeds when paid', async () => {
      const asked = request();
      const made = value(await provider.createPayment(asked));
      expect(made).toMatchObject({ reference: asked.reference, amount: asked.amount, state: 'requires_action' });
      expect(made.action).toBeTruthy();
      await harness.pay(made.providerId);
      const after = value(await provider.getPayment(made.providerId));
      expect(after).toMatchObject({
        providerId: made.providerId,
        reference: asked.reference,
        state: 'succeeded',
        amount: asked.amount,
      });
    });

    it('cancels a payment that the customer abandons', async () => {
      const made = value(await provider.createPayment(request()));
      await harness.abandon(made.providerId);
      expect(value(await provider.getPayment(made.providerId)).state).toBe('canceled');
    });

    it('charges a saved method at once, or refuses it definitely', async () => {
      expect((await paid()).state).toBe('succeeded');
      expect(await provider.createPayment(request({ method: harness.methods.declined }))).toMatchObject({
        kind: 'refused',
      });
    });

    it('refuses amounts out of its bounds and currencies that it lacks', async () => {
      const { minimum, maximum } = provider.capabilities();
      for (const amount of [money(minimum.currency, minimum.minor - 1n), money(maximum.currency, maximum.minor + 1n)]) {
        expect(await provider.createPayment(request({ amount }))).toMatchObject({ kind: 'refused' });
      }
      const lacking = (['USD', 'EUR', 'RUB', 'CNY', 'JPY'] as const).find(
        (one) => !provider.capabilities().currencies.includes(one),
      );
      if (!lacking) return;
      expect(await provider.createPayment(request({ amount: money(lacking, 10_000n) }))).toMatchObject({
        kind: 'refused',
      });
    });

    it('makes one object of one key, and says neither yes nor no to the key with another request', async () => {
      const asked = request();
      const first = value(await provider.createPayment(asked));
      expect(value(await provider.createPayment(asked)).providerId).toBe(first.providerId);
      const changed = { ...asked, amount: times(asked.amount, 2n) };
      expect((await provider.createPayment(changed)).kind).toBe('unknown');
    });

    it('makes one object of one key sent several times at once', async () => {
      const asked = request({ method: harness.methods.instant });
      const before = value(await provider.balance(asked.amount.currency));
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => provider.createPayment(asked)));
      // A provider may put the others off; none of them may be a definite no.
      expect(outcomes.filter((one) => one.kind === 'refused')).toEqual([]);
      const made = value(await provider.createPayment(asked));
      for (const one of outcomes)
        expect(one.kind === 'ok' ? one.value.providerId : made.providerId).toBe(made.providerId);
      const arrived = value(await provider.balance(asked.amount.currency)).minor - before.minor;
      expect(arrived).toBe(made.amount.minor - (made.fee?.minor ?? 0n));
    });

    it('answers unknown when the answer is lost, and the same key or our reference finds the truth', async () => {
      const asked = request({ method: harness.methods.instant });
      harness.loseNextAnswer();
      expect((await provider.createPayment(asked)).kind).toBe('unknown');
      const found = value(await provider.findByReference('payment', asked.reference));
      const again = value(await provider.createPayment(asked));
      expect(found).toEqual({ providerId: again.providerId });
      expect(again.state).toBe('succeeded');
    });

    it('knows what it does not have', async () => {
      expect(value(await provider.findByReference('payment', 'ref_that_never_was'))).toBeUndefined();
      expect(value(await provider.findByReference('payout', 'ref_that_never_was'))).toBeUndefined();
      expect(value(await provider.findByReference('refund', 'ref_that_never_was'))).toBeUndefined();
      expect((await provider.getPayment('nothing_is_called_that')).kind).toBe('refused');
      expect((await provider.getPayout('nothing_is_called_that')).kind).toBe('refused');
      expect((await provider.getRefund('nothing_is_called_that')).kind).toBe('refused');
    });

    it('gives back a payment in parts, never more than was paid', async () => {
      const payment = await paid();
      const part = money(payment.amount.currency, payment.amount.minor / 3n);
      const back = { ...fresh(), paymentProviderId: payment.providerId, amount: part };
      const first = value(await provider.refund(back));
      expect(first).toMatchObject({ reference: back.reference, amount: part });
      expect(value(await provider.refund(back)).providerId).toBe(first.providerId);
      const tooMuch = { ...fresh(), paymentProviderId: payment.providerId, amount: payment.amount };
      expect(await provider.refund(tooMuch)).toMatchObject({ kind: 'refused' });
      const rest = {
        ...fresh(),
        paymentProviderId: payment.providerId,
        amount: money(part.currency, payment.amount.minor - part.minor),
      };
      const second = value(await provider.refund(rest));
      await harness.settle();
      for (const { providerId } of [first, second])
        expect(value(await provider.getRefund(providerId)).state).toBe('succeeded');
      expect(value(await provider.findByReference('refund', rest.reference))).toEqual({
        providerId: second.providerId,
      });
    });

    it('does not give back what was not paid', async () => {
      const waiting = value(await provider.createPayment(request()));
      const back = { ...fresh(), paymentProviderId: waiting.providerId, amount: harness.amount };
      expect(await provider.refund(back)).toMatchObject({ kind: 'refused' });
    });

    it('pays a recipient, once per key', async () => {
      const payment = await paid();
      const { reference, idempotencyKey } = fresh();
      const destination = value(await provider.createRecipient(reference, idempotencyKey));
      expect(value(await provider.createRecipient(reference, idempotencyKey))).toBe(destination);
      const asked = {
        ...fresh(),
        amount: money(payment.amount.currency, payment.amount.minor / 2n),
        destination,
        sourcePaymentId: payment.providerId,
      };
      const made = value(await provider.createPayout(asked));
      expect(made).toMatchObject({ reference: asked.reference, amount: asked.amount });
      expect(value(await provider.createPayout(asked)).providerId).toBe(made.providerId);
      await harness.settle();
      expect(value(await provider.getPayout(made.providerId)).state).toBe('paid');
      expect(value(await provider.findByReference('payout', asked.reference))).toEqual({ providerId: made.providerId });
    });

    it('refuses to pay more than it holds, or to nobody', async () => {
      const payment = await paid();
      const { reference, idempotencyKey } = fresh();
      const destination = value(await provider.createRecipient(reference, idempotencyKey));
      const holds = value(await provider.balance(harness.amount.currency));
      const more = add(holds, money(holds.currency, 1n));
      const source = { sourcePaymentId: payment.providerId };
      expect(await provider.createPayout({ ...fresh(), ...source, amount: more, destination })).toMatchObject({
        kind: 'refused',
      });
      const nobody = { ...fresh(), ...source, amount: payment.amount, destination: 'nobody_is_called_that' };
      expect(await provider.createPayout(nobody)).toMatchObject({ kind: 'refused' });
    });

    it('lists movements that sum to its balance', async () => {
      await paid();
      await harness.settle();
      const { currency } = harness.amount;
      const movements = value(await provider.listMovements(0)).filter((one) => one.amount.currency === currency);
      const sum = movements.reduce((whole, one) => add(whole, one.amount), money(currency, 0n));
      expect(value(await provider.balance(currency))).toEqual(sum);
      expect(value(await provider.listMovements(harness.nowMs() + 86_400_000))).toEqual([]);
    });

    it('tells of a payment by a webhook that names it', async () => {
      const made = value(await provider.createPayment(request()));
      await harness.pay(made.providerId);
      const notices = (await harness.deliveries()).map((one) =>
        provider.handleWebhook(one.raw, one.headers, harness.nowMs()),
      );
      const ours = notices.filter((one) => one.object === 'payment' && one.providerId === made.providerId);
      expect(ours.length).toBeGreaterThan(0);
      expect(new Set(notices.map((one) => one.eventKey)).size).toBe(notices.length);
    });

    it('refuses a webhook that was changed, is old, is from the future or is not signed', async () => {
      await paid();
      const delivery = (await harness.deliveries()).at(-1);
      if (!delivery) throw new Error('no webhook was sent');
      const read = (raw: Uint8Array, headers: Readonly<Record<string, string>>, nowMs = harness.nowMs()): string =>
        codeOf(() => provider.handleWebhook(raw, headers, nowMs));
      expect(read(delivery.raw, delivery.headers)).toBe('nothing was refused');
      for (const at of [0, Math.floor(delivery.raw.length / 2), delivery.raw.length - 1]) {
        const changed = delivery.raw.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(read(changed, delivery.headers), `byte ${at}`).toBe('webhook.unverified');
      }
      expect(read(delivery.raw, {})).toBe('webhook.unverified');
      expect(read(new Uint8Array(0), delivery.headers)).toBe('webhook.unverified');
      expect(read(delivery.raw, delivery.headers, harness.nowMs() + 86_400_000)).toBe('webhook.unverified');
      expect(read(delivery.raw, delivery.headers, harness.nowMs() - 86_400_000)).toBe('webhook.unverified');
    });
  });
}

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  throw new Error(`expected ok, got ${outcome.kind}: ${outcome.message}`);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing was refused';
}
