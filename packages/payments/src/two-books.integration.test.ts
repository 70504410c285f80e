import { money, type Outcome, type PaymentProvider } from '@assay/core';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WireFault } from './simulator/fault-script.ts';
import { startStripeSimulator } from './simulator/stripe-simulator.ts';
import { createStripeProvider } from './stripe-provider.ts';

/** Faults that need no waiting; each may strike several times in a row. */
const faults = ['half_body', 'fail_500', 'happened_500', 'rate_limited', 'key_in_use'] as const satisfies WireFault[];

interface Step {
  readonly op: 'payment' | 'payout' | 'refund';
  readonly minor: bigint;
  readonly faults: readonly WireFault[];
}

const steps = fc.array(
  fc.record<Step>({
    op: fc.constantFrom('payment', 'payout', 'refund'),
    minor: fc.bigInt({ min: 50n, max: 2_000n }),
    faults: fc.array(fc.constantFrom(...faults), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);

const paths = { payment: '/v1/payment_intents', payout: '/v1/transfers', refund: '/v1/refunds' };

/** Sends under one key until the outcome is known, as an outbox does. */
async function settled<T>(send: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  for (let tries = 0; tries < 10; tries += 1) {
    const outcome = await send();
    if (outcome.kind !== 'unknown') return outcome;
  }
  throw new Error('still unknown after ten tries');
}

it('whatever goes wrong on the way, our sums and the bank’s agree to the cent', { timeout: 60_000 }, async () => {
  const keys = { secretKey: 'sk_test_books', webhookSecret: 'whsec_books' };
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const simulator = await startStripeSimulator({ clock: { nowMs: () => Date.UTC(2026, 10, 21) }, ...keys });
      const { host, port } = simulator;
      const account = { name: 'stripe', mode: 'sandbox', currencies: ['USD'], maxHoldMs: 1, ...keys } as const;
      const provider: PaymentProvider = createStripeProvider({ ...account, endpoint: { host, port } });
      const opened = await provider.createRecipient('acc_1', 'key-recipient');
      const destination = opened.kind === 'ok' ? opened.value : '';
      let ours = 0n;
      let made = 0;
      const refundable: string[] = [];
      for (const [serial, { op, minor, faults: planned }] of plan.entries()) {
        for (const fault of planned) simulator.faults.onRequest(fault, { method: 'POST', path: paths[op] });
        const request = { reference: `ref_${serial}`, idempotencyKey: `key-${serial}`, amount: money('USD', minor) };
        const payment = { ...request, method: 'pm_card_visa', description: 'books' };
        const refund = { ...request, paymentProviderId: refundable[0] ?? 'pi_none' };
        const outcome = await settled<{ readonly providerId: string }>(async () => {
          if (op === 'payment') return await provider.createPayment(payment);
          return op === 'payout'
            ? await provider.createPayout({ ...request, destination })
            : await provider.refund(refund);
        });
        if (outcome.kind !== 'ok') continue;
        made += 1;
        ours += op === 'payment' ? minor : -minor;
        if (op === 'payment') refundable.push(outcome.value.providerId);
      }
      expect(await provider.balance('USD')).toEqual({ kind: 'ok', value: money('USD', ours) });
      const listed = await provider.listMovements(0);
      expect(listed.kind === 'ok' && listed.value.length).toBe(made);
      await simulator.stop();
    }),
    { numRuns: 40 },
  );
});
