import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { money } from '../money.ts';
import { memoryPaymentProvider } from './memory-payment-provider.ts';
import { paymentProviderConformance } from './payment-provider.conformance.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const nowMs = (): number => Date.UTC(2026, 10, 21, 12);

paymentProviderConformance('memory', async () => {
  const provider = memoryPaymentProvider({ sha256, nowMs });
  return {
    provider,
    amount: money('USD', 90n),
    methods: { instant: 'instant', declined: 'declined' },
    nowMs,
    pay: async (id) => provider.pay(id),
    abandon: async (id) => provider.abandon(id),
    settle: async () => provider.settle(),
    loseNextAnswer: () => provider.loseNextAnswer(),
    deliveries: async () => provider.deliveries,
  };
});

it('returns the money of a payout that fails', async () => {
  const provider = memoryPaymentProvider({ sha256, nowMs });
  const amount = money('USD', 500n);
  await provider.createPayment({
    reference: 'pay',
    idempotencyKey: 'key 1',
    amount,
    method: 'instant',
    description: '',
  });
  const recipient = await provider.createRecipient('acc', 'key 2');
  const destination = recipient.kind === 'ok' ? recipient.value : '';
  await provider.createPayout({ reference: 'out', idempotencyKey: 'key 3', amount, destination });
  expect(await provider.balance('USD')).toEqual({ kind: 'ok', value: money('USD', 0n) });
  provider.settle(() => true);
  expect(await provider.balance('USD')).toEqual({ kind: 'ok', value: amount });
});
