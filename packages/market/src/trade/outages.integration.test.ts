import { money, refuse, type AccountId, type JobId, type PaymentProvider } from '@assay/core';
import { readHeldOutbox, resumeOutbox } from '@assay/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cancelJob } from './cancel-job.ts';
import { checkBooks } from './check-books.ts';
import { payJob } from './pay-job.ts';
import { pumpProvider } from './pump-provider.ts';
import { runToQuiet } from './processes.ts';
import type { TradeDeps } from './trade-deps.ts';
import {
  addDestination,
  addProvider,
  bankBalance,
  challengeWindowMs,
  fund,
  openTradeScene,
  order,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
beforeEach(async () => {
  scene = await openTradeScene();
});
afterEach(() => scene.close());

/** The market with a configuration that lacks a region. */
const without = (gone: string): TradeDeps => ({
  ...scene.deps,
  providers: {
    forRegion(region) {
      if (region === gone) throw refuse('payment.region_unavailable', 'no provider', { region });
      return scene.deps.providers.forRegion(region);
    },
  },
});
/** The bank as it is when a look-up finds what a read may not see, when it does not answer, and when it takes little. */
const blind = (bank: PaymentProvider): PaymentProvider => ({
  ...bank,
  getPayout: async () => ({ kind: 'refused', code: 'resource_missing', message: 'not here' }),
});
const away = (bank: PaymentProvider): PaymentProvider => ({
  ...bank,
  createPayment: async () => ({ kind: 'unknown', message: 'no answer' }),
  findByReference: async () => ({ kind: 'unknown', message: 'no answer' }),
});
const small = (bank: PaymentProvider): PaymentProvider => ({
  ...bank,
  capabilities: () => ({ ...bank.capabilities(), maximum: money('USD', 90n) }),
});
const owed = async (account: AccountId) =>
  (await scene.deps.store.transaction((tx) => tx.money.balance('worker_payable', account, 'USD'))).minor;
const transfersOf = (job: JobId) => scene.deps.store.transaction((tx) => tx.transfers.ofJob(job));
const auditOf = (action: string) =>
  scene.db.query<{ ref: string; data: unknown }>('SELECT ref, data FROM audit_log WHERE action = $1', [action]);

/** Three providers with accounts in these regions earn 42 cents each, which nobody has paid yet. */
async function earned(regions: readonly ('eu' | 'us')[][]): Promise<AccountId[]> {
  const devices = await Promise.all([1, 2, 3].map(() => addProvider(scene, { account: false })));
  await fund(scene);
  await work(scene, devices);
  await runToQuiet(scene.deps);
  await scene.pass(challengeWindowMs + 1000);
  await runToQuiet(scene.deps);
  for (const [index, device] of devices.entries()) {
    for (const region of regions[index] ?? []) await addDestination(scene, device.owner, region);
  }
  return devices.map((device) => device.owner);
}

describe('a region that left the configuration', () => {
  test('keeps no payee of another one waiting, and its own are paid where they can be or once it is back', async () => {
    const [stuck, other, both] = await earned([['eu'], ['us'], ['eu', 'us']]);
    await runToQuiet(without('eu'));
    expect(await Promise.all([stuck, other, both].map((one) => owed(one!)))).toEqual([42n, 0n, 0n]);
    expect(await auditOf('payout.region_unavailable')).toEqual([
      { ref: 'eu', data: { region: 'eu', payees: [stuck] } },
    ]);
    await scene.pass(3_700_000);
    await runToQuiet(scene.deps);
    expect(await owed(stuck!)).toBe(0n);
    await scene.quiet();
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('leaves what was to be sent to a human, who sends it once the region is back', async () => {
    const made = await order(scene);
    const lost = scene.compose({
      provider: (bank) => ({ ...bank, createPayment: async () => ({ kind: 'unknown', message: 'no answer' }) }),
    });
    await payJob(lost, { ...made });
    await scene.pass(10_000);
    expect(await pumpProvider(without('eu'))).toBe(1);
    const held = await readHeldOutbox(scene.db, 0n, 10);
    expect(held).toMatchObject([
      { op: 'createPayment', inDoubt: true, error: 'no payment provider is configured for eu any more' },
    ]);
    expect(await resumeOutbox(scene.db, held[0]!.id)).toBe(true);
    await runToQuiet(scene.deps);
    expect(await transfersOf(made.job)).toMatchObject([{ state: 'requires_action' }]);
  });

  test('neither fails the inbox nor the questions about what is under way', async () => {
    const made = await order(scene);
    const { providerId } = await payJob(scene.deps, { ...made });
    scene.bank.pay(providerId ?? '');
    await scene.deliverWebhooks();
    await scene.pass(60_000);
    await runToQuiet(without('eu'));
    expect((await transfersOf(made.job))[0]).toMatchObject({ state: 'requires_action' });
    await scene.quiet();
    expect((await transfersOf(made.job))[0]).toMatchObject({ state: 'succeeded' });
  });
});

describe('a look-up that finds the movement and may not read it', () => {
  test('is no word about what it came to', async () => {
    const [payee] = await earned([['eu']]);
    scene.bank.loseNextAnswer();
    await runToQuiet(scene.deps);
    await scene.pass(10_000);
    const asked: unknown[] = [];
    const blindly = scene.compose({
      provider: (bank) => ({
        ...blind(bank),
        async findByReference(kind, reference, about) {
          asked.push(about);
          return await bank.findByReference(kind, reference, about);
        },
      }),
    });
    await runToQuiet(blindly);
    const [account] = await scene.db.query<{ destination: string }>('SELECT destination FROM payout_account');
    expect(asked).toEqual([{ destination: account!.destination }]);
    expect(await owed(payee!)).toBe(0n);
    await scene.quiet();
    const payouts = await scene.db.query<{ state: string }>(`SELECT state FROM transfer WHERE kind = 'payout'`);
    expect(payouts).toEqual([{ state: 'succeeded' }]);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});

describe('a payment that its job waits for no more', () => {
  test.each([
    ['in doubt', true],
    ['not sent yet', false],
  ])('is not charged once the outage is over: %s', async (_, wasSent) => {
    const made = await order(scene);
    const before = await bankBalance(scene);
    await payJob(scene.compose({ provider: away }), { ...made, method: 'instant' });
    if (!wasSent) {
      await scene.db.query(
        `UPDATE outbox SET state = 'ready', in_doubt = false, attempts = 0, first_sent_at = NULL WHERE kind = 'payment'`,
      );
    }
    await cancelJob(scene.deps, made);
    await scene.quiet();
    expect(await transfersOf(made.job)).toMatchObject([{ kind: 'payment', state: 'failed', failure: 'job_closed' }]);
    expect(scene.bank.deliveries).toEqual([]);
    expect(await bankBalance(scene)).toBe(before);
  });

  test('is booked and returned where it had arrived all the same', async () => {
    const made = await order(scene);
    const before = await bankBalance(scene);
    scene.bank.loseNextAnswer();
    await payJob(scene.deps, { ...made, method: 'instant' });
    await cancelJob(scene.deps, made);
    await scene.quiet();
    expect((await transfersOf(made.job)).map((one) => `${one.kind} ${one.state}`)).toEqual([
      'payment succeeded',
      'refund succeeded',
    ]);
    expect(await bankBalance(scene)).toBe(before);
  });

  test('is not given up while an earlier sending may still arrive', async () => {
    const made = await order(scene);
    await payJob(scene.compose({ provider: away }), { ...made, method: 'instant' });
    await cancelJob(scene.deps, made);
    await scene.pass(1_000);
    await runToQuiet(scene.deps);
    expect(await transfersOf(made.job)).toMatchObject([{ state: 'queued' }]);
    await scene.pass(120_000);
    await runToQuiet(scene.deps);
    expect(await transfersOf(made.job)).toMatchObject([{ state: 'failed' }]);
  });
});

describe('payouts', () => {
  test('that are more than the provider takes in one leave in several', async () => {
    const device = await Promise.all([1, 2, 3].map(() => addProvider(scene, { account: false })));
    for (let job = 0; job < 3; job += 1) await fund(scene);
    await work(scene, device);
    await runToQuiet(scene.deps);
    await scene.pass(challengeWindowMs + 1000);
    await runToQuiet(scene.deps);
    await addDestination(scene, device[0]!.owner);
    await runToQuiet(scene.compose({ provider: small }));
    expect(await owed(device[0]!.owner)).toBe(0n);
    const amounts = await scene.db.query<{ amount: bigint }>(
      `SELECT amount FROM transfer WHERE kind = 'payout' ORDER BY id`,
    );
    expect(amounts.map((one) => one.amount)).toEqual([83n, 42n]);
    await scene.quiet();
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('to a payee whom the provider does not know well enough are not tried again every hour', async () => {
    const [payee] = await earned([['eu']]);
    let calls = 0;
    const deps = scene.compose({
      provider: (bank) => ({
        ...bank,
        async createPayout() {
          calls += 1;
          return { kind: 'refused', code: 'insufficient_capabilities_for_transfer', message: 'no transfers' };
        },
      }),
    });
    for (let hours = 0; hours < 3; hours += 1) {
      await runToQuiet(deps);
      await scene.pass(2 * 3_600_000);
    }
    expect(calls).toBe(1);
    expect(await owed(payee!)).toBe(42n);
    expect(await auditOf('payout.failed')).toHaveLength(1);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});
