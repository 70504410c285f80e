import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { balanceOf } from './bank-books.ts';
import { startStripeSimulator, type SimulatorOptions, type StripeSimulator } from './stripe-simulator.ts';

const secretKey = 'sk_test_simulator';
const webhookSecret = 'whsec_simulator';
const nowMs = Date.UTC(2026, 10, 21, 12);

let folder: string;
let simulator: StripeSimulator;

async function restart(more: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startStripeSimulator({
    clock: { nowMs: () => nowMs },
    secretKey,
    webhookSecret,
    statePath: join(folder, 'bank.json'),
    webhookRetryDelaysMs: [5, 5, 5],
    ...more,
  });
}

function sdk(key = secretKey): Stripe {
  const { host, port } = simulator;
  return new Stripe(key, { host, port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 });
}

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`http://${simulator.host}:${simulator.port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });
}

const card = { amount: 500, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' } as const;
const total = (): bigint => balanceOf(simulator.bank, 'usd', nowMs / 1000).total;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-bank-'));
  await restart();
});
afterEach(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('requests', () => {
  it.each([
    ['an unknown parameter', 'amount=500&currency=usd&colour=red', 'parameter_unknown'],
    ['an unknown parameter in a folder', 'amount=500&currency=usd&automatic_payment_methods[x]=1', 'parameter_unknown'],
    ['a folder where text belongs', 'amount[x]=500&currency=usd', 'parameter_unknown'],
    [
      'the parameter that the version dropped',
      'amount=500&currency=usd&payment_method_types[]=card',
      'payment_method_types_no_longer_supported',
    ],
    ['no amount', 'currency=usd', 'parameter_missing'],
    ['an empty currency', 'amount=500&currency=', 'parameter_invalid_empty'],
    ['a fraction', 'amount=5.5&currency=usd', 'parameter_invalid_integer'],
    ['nothing', 'amount=0&currency=usd', 'parameter_invalid_integer'],
    ['less than the minimum', 'amount=49&currency=usd', 'amount_too_small'],
    ['more than the maximum', 'amount=100000000&currency=usd', 'amount_too_large'],
    ['a method that is nobody’s', 'amount=500&currency=usd&confirm=true&payment_method=pm_x', 'resource_missing'],
    ['a text and a folder of one name', 'amount=500&currency=usd&metadata=x&metadata[a]=b', 'parameter_invalid'],
  ])('are refused with %s', async (_name, body, code) => {
    const response = await post('/v1/payment_intents', body);
    expect(response.status).toBe(400);
    expect(response.headers.get('request-id')).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', code } });
    expect(simulator.bank.intents).toEqual({});
  });

  it('need the secret key', async () => {
    await expect(sdk('sk_test_wrong').balance.retrieve()).rejects.toMatchObject({ statusCode: 401 });
    expect((await post('/v1/transfers', '', { authorization: '' })).status).toBe(401);
  });

  it('have a known path and a bounded body', async () => {
    expect((await post('/v1/nothing', '')).status).toBe(404);
    expect((await post('/v1/payment_intents', 'a'.repeat(70_000))).status).toBe(413);
    expect((await post('/v2/core/accounts', 'not json')).status).toBe(400);
    expect((await post('/v2/core/accounts', '{"colour":"red"}')).status).toBe(400);
  });

  it('with a key run once; the same key with other parameters is an error', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const body = 'amount=500&currency=usd&confirm=true&payment_method=pm_card_visa';
    const first = await (await post('/v1/payment_intents', body, key)).text();
    expect(await (await post('/v1/payment_intents', body, key)).text()).toBe(first);
    const other = await post('/v1/payment_intents', body.replace('500', '600'), key);
    expect(await other.json()).toMatchObject({ error: { type: 'idempotency_error' } });
    expect(total()).toBe(500n);
  });

  it('that fail validation leave their key free; those that were tried do not', async () => {
    const key = { 'idempotency-key': 'key-1' };
    expect((await post('/v1/payment_intents', 'amount=500', key)).status).toBe(400);
    const declined = 'amount=500&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined';
    expect((await post('/v1/payment_intents', declined, key)).status).toBe(402);
    expect((await post('/v1/payment_intents', declined.replace('500', '501'), key)).status).toBe(400);
    expect(Object.keys(simulator.bank.intents)).toHaveLength(1);
  });
});

describe('the API beyond what the adapter uses', () => {
  it('confirms and cancels intents', async () => {
    const intents = sdk().paymentIntents;
    const waiting = await intents.create({ amount: 500, currency: 'usd' });
    expect((await intents.confirm(waiting.id, { payment_method: 'pm_card_visa' })).status).toBe('succeeded');
    await expect(intents.confirm(waiting.id, { payment_method: 'pm_card_visa' })).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    await expect(intents.cancel(waiting.id)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    const other = await intents.create({ amount: 500, currency: 'usd' });
    expect((await intents.cancel(other.id)).status).toBe('canceled');
  });

  it('searches by metadata, lists in pages, expands', async () => {
    let intents = sdk().paymentIntents;
    for (let serial = 0; serial < 12; serial += 1) {
      await intents.create({ ...card, metadata: { serial: String(serial) } });
    }
    const search = async () => await intents.search({ query: "metadata['serial']:'7'" });
    expect((await search()).data).toEqual([]);
    const { created } = (await intents.list({ limit: 1 })).data[0]!;
    await simulator.stop();
    await restart({ clock: { nowMs: () => (created + 60) * 1000 } });
    intents = sdk().paymentIntents;
    const found = await search();
    expect(found.data.map((intent) => intent.metadata['serial'])).toEqual(['7']);
    const serials: (string | undefined)[] = [];
    for await (const intent of intents.list({ limit: 5 })) serials.push(intent.metadata['serial']);
    expect(serials).toEqual(Array.from({ length: 12 }, (_, i) => String(11 - i)));
    const page = await intents.list({ limit: 2, expand: ['data.latest_charge.balance_transaction'] });
    expect(page.data[0]?.latest_charge).toMatchObject({ object: 'charge', balance_transaction: { net: 500 } });
    await expect(intents.list({ limit: 2, expand: ['data.nonsense'] })).rejects.toMatchObject({ statusCode: 400 });
    await expect(intents.list({ limit: 101 })).rejects.toMatchObject({ statusCode: 400 });
    await expect(intents.list({ starting_after: 'pi_none' })).rejects.toMatchObject({ code: 'resource_missing' });
  });

  it('pays out to the platform’s bank, and takes a payout back', async () => {
    await sdk().paymentIntents.create(card);
    const payout = await sdk().payouts.create({ amount: 400, currency: 'usd' });
    expect(payout.status).toBe('in_transit');
    await expect(sdk().payouts.create({ amount: 101, currency: 'usd' })).rejects.toMatchObject({
      code: 'balance_insufficient',
    });
    await simulator.acts.finishPayout(payout.id, 'paid');
    expect(total()).toBe(100n);
    await simulator.acts.finishPayout(payout.id, 'failed');
    expect(await sdk().payouts.retrieve(payout.id)).toMatchObject({ status: 'failed', failure_code: 'account_closed' });
    expect(total()).toBe(500n);
  });

  it('reverses transfers in parts, never more than the payee has', async () => {
    await sdk().paymentIntents.create(card);
    const account = await sdk().v2.core.accounts.create({
      configuration: { recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } } },
    });
    expect(await sdk().v2.core.accounts.retrieve(account.id)).toMatchObject({ id: account.id });
    const transfer = await sdk().transfers.create({ amount: 300, currency: 'usd', destination: account.id });
    await sdk().transfers.createReversal(transfer.id, { amount: 100 });
    expect(await sdk().transfers.retrieve(transfer.id)).toMatchObject({ amount_reversed: 100, reversed: false });
    await expect(sdk().transfers.createReversal(transfer.id, { amount: 201 })).rejects.toMatchObject({
      statusCode: 400,
    });
    await sdk().transfers.createReversal(transfer.id);
    expect(await sdk().transfers.retrieve(transfer.id)).toMatchObject({ amount_reversed: 300, reversed: true });
    expect(total()).toBe(500n);
  });

  it('does not let a charge fund more transfers than it has', async () => {
    const intent = await sdk().paymentIntents.create(card);
    const account = await sdk().v2.core.accounts.create({
      configuration: { recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } } },
    });
    const transfer = { currency: 'usd', destination: account.id, source_transaction: intent.latest_charge as string };
    await sdk().transfers.create({ ...transfer, amount: 300 });
    await expect(sdk().transfers.create({ ...transfer, amount: 201 })).rejects.toMatchObject({ statusCode: 400 });
    await sdk().transfers.create({ ...transfer, amount: 200 });
    expect(total()).toBe(0n);
  });
});

describe('webhooks', () => {
  let receiver: Server;
  let refuseNext = 0;
  let seen: { type: string; id: string }[] = [];

  beforeEach(async () => {
    seen = [];
    refuseNext = 0;
    receiver = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      request.on('end', () => {
        refuseNext -= 1;
        if (refuseNext >= 0) {
          response.writeHead(503).end();
          return;
        }
        const raw = Buffer.concat(chunks);
        const header = String(request.headers['stripe-signature']);
        const event = sdk().webhooks.constructEvent(raw, header, webhookSecret, 300, undefined, nowMs);
        seen.push({ type: event.type, id: event.id });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    receiver.closeAllConnections();
    receiver.close();
  });

  const url = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const types = (): string[] => seen.map((event) => event.type);

  it('are signed as the SDK checks, and wait until there is an address', async () => {
    await sdk().paymentIntents.create(card);
    expect(simulator.bank.events).toHaveLength(3);
    simulator.webhooks.setUrl(url());
    await simulator.webhooks.idle();
    expect(types().toSorted()).toEqual(['charge.succeeded', 'payment_intent.created', 'payment_intent.succeeded']);
    expect(simulator.bank.events).toEqual([]);
  });

  it('come again until they are taken, and are given up in the end', async () => {
    simulator.webhooks.setUrl(url());
    refuseNext = 3;
    await sdk().paymentIntents.create({ amount: 500, currency: 'usd' });
    await simulator.webhooks.idle();
    expect(types()).toEqual(['payment_intent.created']);
    refuseNext = 4;
    await sdk().paymentIntents.create({ amount: 500, currency: 'usd' });
    await simulator.webhooks.idle();
    expect(types()).toEqual(['payment_intent.created']);
    expect(simulator.bank.events).toMatchObject([{ state: 'given_up', attempts: 4 }]);
  });

  it('can come twice, late, or in another order', async () => {
    simulator.webhooks.setUrl(url());
    simulator.faults.onEvent('reorder', 'payment_intent.created');
    simulator.faults.onEvent('duplicate', 'charge.succeeded');
    simulator.faults.onEvent('withhold', 'payment_intent.succeeded');
    await sdk().paymentIntents.create(card);
    await simulator.webhooks.idle();
    expect(types()).toEqual(['charge.succeeded', 'charge.succeeded', 'payment_intent.created']);
    simulator.webhooks.release();
    await simulator.webhooks.idle();
    expect(types().at(-1)).toBe('payment_intent.succeeded');
    expect(new Set(seen.map((event) => event.id)).size).toBe(3);
  });

  it('tell of what happens at the bank', async () => {
    const intent = await sdk().paymentIntents.create(card);
    const refund = await sdk().refunds.create({ payment_intent: intent.id, amount: 100 });
    await simulator.acts.failRefund(refund.id);
    await simulator.acts.disputePayment(intent.id);
    simulator.webhooks.setUrl(url());
    await simulator.webhooks.idle();
    expect(types()).toEqual(
      expect.arrayContaining(['refund.created', 'charge.refunded', 'refund.failed', 'charge.dispute.created']),
    );
  });

  it('that were not taken are sent after a restart', async () => {
    await sdk().paymentIntents.create({ amount: 500, currency: 'usd' });
    await simulator.stop();
    await restart();
    simulator.webhooks.setUrl(url());
    await simulator.webhooks.idle();
    expect(types()).toEqual(['payment_intent.created']);
  });
});

describe('the books on disk', () => {
  it('are there after a restart, keys included, as soon as a request was answered', async () => {
    const intent = await sdk().paymentIntents.create(card, { idempotencyKey: 'key-1' });
    const before = simulator;
    // Not stopped first: what was answered must be on the disk already, as after a kill.
    await restart();
    await before.stop();
    expect((await sdk().paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
    expect((await sdk().paymentIntents.create(card, { idempotencyKey: 'key-1' })).id).toBe(intent.id);
    expect(total()).toBe(500n);
  });

  it('hold what payees have', async () => {
    await sdk().paymentIntents.create(card);
    const account = await sdk().v2.core.accounts.create({
      configuration: { recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } } },
    });
    const transfer = await sdk().transfers.create({ amount: 300, currency: 'usd', destination: account.id });
    await simulator.stop();
    await restart();
    expect(simulator.bank.accounts[account.id]?.held).toEqual({ usd: 300n });
    await simulator.acts.returnTransfer(transfer.id);
    expect(total()).toBe(500n);
  });

  it('hold every one of many requests at once', async () => {
    const stripe = sdk();
    await Promise.all(Array.from({ length: 40 }, async () => await stripe.paymentIntents.create(card)));
    const before = simulator;
    await restart();
    await before.stop();
    expect(total()).toBe(20_000n);
  });

  it('are refused when they are not ours', async () => {
    await writeFile(join(folder, 'broken.json'), '{');
    await expect(restart({ statePath: join(folder, 'broken.json') })).rejects.toThrow('JSON');
  });
});
