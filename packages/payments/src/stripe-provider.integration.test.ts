import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { money } from '@assay/core';
import { paymentProviderConformance, type PaymentProviderHarness } from '@assay/core/conformance';
import { startStripeSimulator } from './simulator/stripe-simulator.ts';
import { createStripeProvider } from './stripe-provider.ts';

const secretKey = 'sk_test_conformance';
const webhookSecret = 'whsec_conformance';

const nowMs = (): number => Date.UTC(2026, 10, 21, 12);

/** Runs the port's suite through the real SDK over HTTP. */
async function harness(): Promise<PaymentProviderHarness> {
  const simulator = await startStripeSimulator({
    clock: { nowMs },
    secretKey,
    webhookSecret,
    feePermille: 29n,
    feeFixed: 30n,
  });
  const arrived: { raw: Uint8Array; headers: Record<string, string> }[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const signature = String(request.headers['stripe-signature']);
      arrived.push({ raw: new Uint8Array(Buffer.concat(chunks)), headers: { 'stripe-signature': signature } });
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  simulator.webhooks.setUrl(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`);
  const { host, port } = simulator;
  return {
    provider: createStripeProvider({
      name: 'stripe-us',
      mode: 'sandbox',
      secretKey,
      webhookSecret,
      currencies: ['USD', 'EUR'],
      maxHoldMs: 90 * 86_400_000,
      endpoint: { host, port },
    }),
    amount: money('USD', 5_000n),
    methods: { instant: 'pm_card_visa', declined: 'pm_card_chargeDeclined' },
    nowMs,
    pay: async (id) => await simulator.acts.completePayment(id),
    abandon: async (id) => await simulator.acts.cancelPayment(id),
    settle: async () => undefined,
    // Twice, because the SDK tries once more after a closed connection.
    loseNextAnswer: () => simulator.faults.onRequest('drop_after', { method: 'POST', path: '/v1/' }, 2),
    deliveries: async () => {
      await simulator.webhooks.idle();
      return arrived;
    },
    close: async () => {
      await simulator.stop();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

paymentProviderConformance('stripe (real SDK, simulated wire)', harness);
