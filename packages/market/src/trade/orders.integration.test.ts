import { money, newId, type AccountId, type JobId, type PaymentProvider } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAudit, readHeldOutbox, resumeOutbox } from '@assay/store';
import { addAccount } from '../work/work-scene.setup.ts';
import { cancelJob, expireJobs } from './cancel-job.ts';
import { checkBooks } from './check-books.ts';
import { createJob, quoteManifest } from './create-job.ts';
import { moneyTimeline } from './money-timeline.ts';
import { payJob } from './pay-job.ts';
import { runToQuiet } from './processes.ts';
import { receiveWebhook } from './receive-webhook.ts';
import {
  addProvider,
  bankBalance,
  bundle,
  fund,
  ids,
  manifestOf,
  openTradeScene,
  refusal,
  order,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
beforeAll(async () => {
  scene = await openTradeScene();
});
afterAll(() => scene.close());

const jobOf = (id: JobId) => scene.deps.store.transaction((tx) => tx.jobs.find(id));
const transfersOf = (id: JobId) => scene.deps.store.transaction((tx) => tx.transfers.ofJob(id));
const kindsOf = async (id: JobId) =>
  (await moneyTimeline(scene.deps, id)).map((line) => `${line.kind} ${line.amount.minor}`);

async function rows(): Promise<unknown> {
  const [counts] = await scene.db.query(
    `SELECT (SELECT count(*) FROM job) AS jobs, (SELECT count(*) FROM outbox) AS messages,
       (SELECT count(*) FROM escrow) AS escrows, (SELECT count(*) FROM transfer) AS transfers,
       (SELECT count(*) FROM money_account) AS accounts, (SELECT count(*) FROM change_feed) AS changes`,
  );
  return counts;
}

const request = (customer: AccountId, manifest: unknown, key = `order-${ids.next()}`) => ({
  customer,
  manifest,
  bundle,
  idempotencyKey: key,
});

describe('an order', () => {
  test('is priced without leaving anything behind', async () => {
    const before = await rows();
    const quoted = quoteManifest(scene.deps, manifestOf({ chunks: 10 }));
    expect(quoted).toMatchObject({ deposit: { minor: 1350n }, quote: { perReplica: { minor: 45n }, units: 10 } });
    expect(await rows()).toEqual(before);
  });

  test.each([
    ['manifest.malformed', 'text'],
    ['manifest.unknown_key', { ...manifestOf(), speed: 1 }],
    ['manifest.unknown_runner', { ...manifestOf(), runner: 'evil:1' }],
    ['manifest.out_of_bounds', { ...manifestOf(), parallelism: { chunks: 0 } }],
    ['manifest.unsupported', { ...manifestOf(), resources: { gpu: true } }],
    ['manifest.file_missing', { ...manifestOf(), entry_point: 'gone.py' }],
    ['manifest.file_missing', { ...manifestOf(), parallelism: { chunks: 1, merge_script: 'gone.py' } }],
    ['quote.over_budget', manifestOf({ chunks: 10_000 })],
  ])('that is refused with %s leaves nothing behind', async (code, manifest) => {
    const customer = await addAccount(scene.db);
    const before = await rows();
    expect(await refusal(() => createJob(scene.deps, request(customer, manifest)))).toBe(code);
    expect(await rows()).toEqual(before);
  });

  test('for a graphics processor is taken where the market names runners that give one', () => {
    const asked = { ...manifestOf(), resources: { gpu: true } };
    const terms = { ...scene.deps.terms, gpuRunners: scene.deps.terms.runners };
    expect(quoteManifest({ ...scene.deps, terms }, asked).manifest.resources.gpu).toBe(true);
  });

  test('is stored once per key, also when it comes many times at once', async () => {
    const customer = await addAccount(scene.db);
    const asked = request(customer, manifestOf());
    const made = await Promise.all(Array.from({ length: 5 }, () => createJob(scene.deps, asked)));
    expect(new Set(made.map(({ job }) => job.id)).size).toBe(1);
    expect(await refusal(() => createJob(scene.deps, { ...asked, manifest: manifestOf({ chunks: 2 }) }))).toBe(
      'idempotency.key_reused',
    );
    const other = await createJob(scene.deps, request(await addAccount(scene.db), manifestOf(), asked.idempotencyKey));
    expect(other.job.id).not.toBe(made[0]?.job.id);
  });

  test('is on the ledger as created', async () => {
    const { job } = await order(scene);
    await runToQuiet(scene.deps);
    const args = [job];
    const text = await scene.ledger.evaluate('Contract', 'getContract', args, scene.deps.identities.orchestrator);
    expect(JSON.parse(text)).toMatchObject({ state: 'CREATED', details: { units: 1, storage: 'disk:eu' } });
  });
});

describe('a payment', () => {
  test('is asked for once, however often and from however many sides', async () => {
    const made = await order(scene);
    const all = await Promise.all(Array.from({ length: 4 }, () => payJob(scene.deps, { ...made })));
    expect(new Set(all.map((payment) => payment.id)).size).toBe(1);
    const again = await payJob(scene.deps, { ...made });
    expect(again).toMatchObject({ state: 'requires_action', action: expect.stringContaining('memory:') });
    scene.bank.pay(again.providerId ?? '');
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'funded', charged: { minor: 135n } });
    expect(await payJob(scene.deps, { ...made })).toMatchObject({ id: again.id, state: 'succeeded' });
  });

  test('of a job of somebody else finds no job', async () => {
    const { job } = await order(scene);
    const customer = await addAccount(scene.db);
    expect(await refusal(() => payJob(scene.deps, { customer, job }))).toBe('job.not_found');
    expect(await refusal(() => cancelJob(scene.deps, { customer, job }))).toBe('job.not_found');
    expect(await refusal(() => payJob(scene.deps, { customer, job: newId('job', ids) }))).toBe('job.not_found');
  });

  test('that is declined leaves the job unpaid, and another method pays it', async () => {
    const made = await order(scene);
    expect(await refusal(() => payJob(scene.deps, { ...made, method: 'declined' }))).toBe('payment.refused');
    expect(await jobOf(made.job)).toMatchObject({ state: 'created' });
    expect(await payJob(scene.deps, { ...made, method: 'instant' })).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(await jobOf(made.job)).toMatchObject({ state: 'funded' });
  });

  test('whose answer is lost is looked up, not repeated', async () => {
    const made = await order(scene);
    const before = await bankBalance(scene);
    scene.bank.loseNextAnswer();
    expect(await payJob(scene.deps, { ...made, method: 'instant' })).toMatchObject({ state: 'queued' });
    await scene.pass(60_000);
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'funded' });
    expect(await bankBalance(scene)).toBe(before + 135n);
  });

  test('that the provider no longer knows is left to a human, who says that it has nothing of it', async () => {
    const made = await order(scene);
    await scene.db.query(`UPDATE job SET expires_at = expires_at + interval '7 days' WHERE id = $1`, [made.job]);
    let calls = 0;
    const silent = (provider: PaymentProvider): PaymentProvider => ({
      ...provider,
      async createPayment() {
        calls += 1;
        return { kind: 'unknown', message: 'timeout' };
      },
    });
    const deps = scene.compose({ provider: silent });
    await payJob(deps, { ...made });
    await scene.pass(60_000);
    await runToQuiet(deps);
    expect(calls).toBe(2);
    await scene.pass(24 * 3_600_000);
    await runToQuiet(deps);
    await scene.pass(24 * 3_600_000);
    await runToQuiet(deps);
    expect(calls).toBe(2);
    const messages = () =>
      scene.db.query<{ id: bigint; state: string }>(
        'SELECT o.id, o.state::text FROM outbox o JOIN transfer t ON t.id = o.ref WHERE t.job_id = $1',
        [made.job],
      );
    const [message] = await messages();
    expect(message?.state).toBe('human');
    const held = await readHeldOutbox(scene.db, message!.id - 1n, 1);
    expect(held).toMatchObject([{ id: message!.id, inDoubt: true }]);
    expect(await readAudit(scene.db, 0n, 10, String(message!.id))).toMatchObject([
      { action: 'outbox.held', data: { kind: 'payment', error: expect.stringContaining('forgotten the key') } },
    ]);
    // To send it again is not enough: the key is forgotten.
    expect(await resumeOutbox(scene.db, message!.id)).toBe(true);
    await runToQuiet(deps);
    expect(await messages()).toEqual([message]);
    expect(await resumeOutbox(scene.db, message!.id, true)).toBe(true);
    await runToQuiet(scene.deps);
    expect(await messages()).toEqual([{ ...message, state: 'done' }]);
    expect(calls).toBe(2);
    expect(await transfersOf(made.job)).toHaveLength(1);
  });

  test('of another amount funds nothing and goes back', async () => {
    for (const off of [-1n, 1n]) {
      const made = await order(scene);
      const before = await bankBalance(scene);
      const wrong = (provider: PaymentProvider): PaymentProvider => ({
        ...provider,
        createPayment: (asked) => provider.createPayment({ ...asked, amount: money('USD', asked.amount.minor + off) }),
      });
      await payJob(scene.compose({ provider: wrong }), { ...made, method: 'instant' });
      await scene.quiet();
      const amount = 135n + off;
      expect(await kindsOf(made.job)).toEqual([
        `payment_to_suspense ${amount}`,
        `refund_sent ${amount}`,
        `refund_paid ${amount}`,
      ]);
      expect(await bankBalance(scene)).toBe(before);
      expect((await jobOf(made.job))?.state).not.toBe('funded');
    }
  });

  test('that comes after the job was cancelled goes back', async () => {
    const made = await order(scene);
    const before = await bankBalance(scene);
    const { providerId } = await payJob(scene.deps, { ...made });
    expect(await cancelJob(scene.deps, made)).toMatchObject({ state: 'cancelled' });
    expect(await cancelJob(scene.deps, made)).toMatchObject({ state: 'cancelled' });
    scene.bank.pay(providerId ?? '');
    await scene.quiet();
    expect(await kindsOf(made.job)).toEqual(['payment_to_credit 135', 'refund_sent 135', 'refund_paid 135']);
    expect(await bankBalance(scene)).toBe(before);
    expect(await refusal(() => payJob(scene.deps, { ...made }))).toBe('job.wrong_state');
  });

  test('that comes second goes back, and the first stands', async () => {
    const made = await order(scene);
    const first = await payJob(scene.deps, { ...made });
    // The first is given up at the bank and then, against its word, comes through.
    await scene.db.query(`UPDATE transfer SET state = 'canceled' WHERE id = $1`, [first.id]);
    await payJob(scene.deps, { ...made, method: 'instant' });
    expect(await jobOf(made.job)).toMatchObject({ state: 'funded' });
    scene.bank.pay(first.providerId ?? '');
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    scene.bank.settle();
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    const [one, two] = await transfersOf(made.job);
    expect([one?.bookedAs, two?.bookedAs]).toEqual(['credit', 'escrow']);
    expect(await kindsOf(made.job)).toEqual([
      'payment_to_escrow 135',
      'payment_to_credit 135',
      'refund_sent 135',
      'refund_paid 135',
    ]);
  });

  test('whose webhook gets lost is found by asking', async () => {
    const made = await order(scene);
    const { providerId } = await payJob(scene.deps, { ...made });
    scene.bank.pay(providerId ?? '');
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'created' });
    await scene.pass(40_000);
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'funded' });
  });
});

describe('a webhook', () => {
  test('that is delivered many times, also at once, books once', async () => {
    const made = await order(scene);
    const { providerId } = await payJob(scene.deps, { ...made });
    scene.bank.pay(providerId ?? '');
    const delivery = scene.bank.deliveries.at(-1);
    if (!delivery) throw new Error('the bank told of the payment');
    const stored = await Promise.all(
      Array.from({ length: 6 }, () => receiveWebhook(scene.deps, { region: 'eu', ...delivery })),
    );
    expect(stored.filter(Boolean)).toHaveLength(1);
    await Promise.all([runToQuiet(scene.deps), runToQuiet(scene.compose())]);
    expect(await kindsOf(made.job)).toEqual(['payment_to_escrow 135']);
  });

  test('that is forged, or about something unknown, books nothing', async () => {
    const delivery = scene.bank.deliveries.at(-1);
    if (!delivery) throw new Error('the bank told of something');
    const forged = { ...delivery, raw: Buffer.concat([delivery.raw, Buffer.from(' ')]) };
    expect(await refusal(() => receiveWebhook(scene.deps, { region: 'eu', ...forged }))).toBe('webhook.unverified');
    const stray = await scene.bank.createPayment({
      reference: 'somebody else',
      idempotencyKey: `stray-${ids.next()}`,
      amount: money('USD', 500n),
      method: 'instant',
      description: '',
    });
    expect(stray.kind).toBe('ok');
    const entries = await scene.db.query('SELECT id FROM journal_entry');
    await scene.deliverWebhooks();
    for (let hour = 0; hour < 24; hour += 1) {
      await scene.pass(3_600_000);
      await runToQuiet(scene.deps);
    }
    expect(await scene.db.query('SELECT id FROM journal_entry')).toEqual(entries);
    const [ignored] = await scene.db.query(`SELECT state FROM inbox ORDER BY id DESC LIMIT 1`);
    expect(ignored).toEqual({ state: 'ignored' });
  });

  test('of more than the limit is refused unread', async () => {
    const raw = new Uint8Array(256 * 1024 + 1);
    expect(await refusal(() => receiveWebhook(scene.deps, { region: 'eu', raw, headers: {} }))).toBe(
      'request.too_large',
    );
  });
});

describe('a job that nobody pays', () => {
  test('is given up in time, and its escrow and its contract with it', async () => {
    const { job } = await order(scene);
    await scene.pass(3_600_000 + 1000);
    expect(await expireJobs(scene.deps)).toBeGreaterThan(0);
    expect(await jobOf(job)).toMatchObject({ state: 'cancelled', failure: { code: 'job.expired' } });
    await runToQuiet(scene.deps);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});

describe('a job without a verdict', () => {
  test('returns the whole deposit', async () => {
    const providers = await Promise.all(Array.from({ length: 9 }, () => addProvider(scene)));
    const { job } = await fund(scene);
    await work(scene, providers, () => true);
    expect(await jobOf(job)).toMatchObject({ state: 'refunded', refunded: { minor: 135n }, paidOut: { minor: 0n } });
    await scene.quiet();
    expect(await kindsOf(job)).toEqual(['payment_to_escrow 135', 'refund_sent 135', 'refund_paid 135']);
    // The liars took every other job of this file as well: all that is left is money that is not ours.
    expect(await bankBalance(scene)).toBe(500n);
    expect(await checkBooks(scene.deps)).toEqual([]);
    expect((await jobOf(job))?.ledgerProblem).toBeNull();
  });
});
