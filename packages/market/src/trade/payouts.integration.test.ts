import type { AccountId, JobId } from '@assay/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Device } from '../work/work-scene.setup.ts';
import { checkBooks } from './check-books.ts';
import { moneyTimeline } from './money-timeline.ts';
import { runToQuiet } from './processes.ts';
import {
  addDestination,
  addProvider,
  challengeWindowMs,
  fund,
  openTradeScene,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
let providers: Device[];
let other: Device;
beforeAll(async () => {
  scene = await openTradeScene();
});
afterAll(() => scene.close());
beforeEach(async () => {
  providers = await Promise.all([true, true, false].map((account) => addProvider(scene, { account })));
  const [, , last] = providers;
  if (!last) throw new Error('three providers');
  other = last;
});

const owed = async (account: AccountId) =>
  (await scene.deps.store.transaction((tx) => tx.money.balance('worker_payable', account, 'USD'))).minor;
const linesOf = async (job: JobId) =>
  (await moneyTimeline(scene.deps, job)).map((line) => `${line.kind} ${line.amount.minor}`);

/** A settled job: 42 of 45 cents went to each of three providers. */
async function settled(): Promise<JobId> {
  const { job } = await fund(scene);
  await work(scene, providers);
  await runToQuiet(scene.deps);
  await scene.pass(challengeWindowMs + 1000);
  await runToQuiet(scene.deps);
  return job;
}

describe('earnings', () => {
  test('of jobs that end together are booked together, each by the turnover that those before it leave', async () => {
    const jobs = [await fund(scene), await fund(scene)].map(({ job }) => job);
    await work(scene, providers);
    await runToQuiet(scene.deps);
    await scene.pass(challengeWindowMs + 1000);
    await runToQuiet(scene.deps);
    const [booked] = await scene.db.query<{ entries: bigint; transactions: bigint }>(
      `SELECT count(*) AS entries, count(DISTINCT xid) AS transactions FROM journal_entry
       WHERE kind = 'settlement' AND job_id = ANY($1)`,
      [jobs],
    );
    expect(booked).toEqual({ entries: 2n, transactions: 1n });
    // 8 % of 45 are 3.6, of 90 7.2.
    expect(await owed(other.owner)).toBe(83n);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('that are settled while a month ends count in the month whose turnover set their commission', async () => {
    const { job } = await fund(scene);
    await work(scene, providers);
    await runToQuiet(scene.deps);
    await scene.pass(challengeWindowMs + 1000);
    const now = new Date(scene.nowMs());
    const nextMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    const slow = scene.compose({
      store: (store) => ({
        ...store,
        transaction: (run) =>
          store.transaction((tx) =>
            run({
              ...tx,
              earnings: {
                ...tx.earnings,
                async lockTurnover(...asked) {
                  const turnover = await tx.earnings.lockTurnover(...asked);
                  await scene.pass(Math.max(0, nextMonth + 1000 - scene.nowMs()));
                  return turnover;
                },
              },
            }),
          ),
      }),
    });
    await runToQuiet(slow);
    const [sums] = await scene.db.query(
      `SELECT count(*) AS providers, sum(e.gross) AS earned, sum(t.gross) AS turnover, max(t.month)::text AS month
       FROM earning e JOIN turnover t USING (provider_id) WHERE e.job_id = $1`,
      [job],
    );
    const month = now.toISOString().slice(0, 7);
    expect(sums).toEqual({ providers: 3n, earned: '135', turnover: '135', month: `${month}-01` });
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('of a provider without an account stay owed, and leave together once there is one', async () => {
    const [first, second] = [await settled(), await settled()];
    // 8 % of 45 are 3.6, of 90 7.2: the second job bears the cent that the first was spared.
    expect(await owed(other.owner)).toBe(83n);
    await addDestination(scene, other.owner);
    await runToQuiet(scene.deps);
    expect(await owed(other.owner)).toBe(0n);
    const payouts = await scene.db.query<{ amount: bigint }>(
      `SELECT amount FROM transfer WHERE kind = 'payout' AND party_id = $1`,
      [other.owner],
    );
    expect(payouts).toEqual([{ amount: 83n }]);
    scene.bank.settle();
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    for (const [job, net] of [
      [first, 42],
      [second, 41],
    ] as const) {
      const lines = await linesOf(job);
      expect(lines.filter((line) => line === `payout_paid ${net}`)).toHaveLength(3);
    }
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('whose payout fails by the account’s fault are owed again and wait for another account', async () => {
    await addDestination(scene, other.owner);
    const job = await settled();
    expect(await owed(other.owner)).toBe(0n);
    scene.bank.settle((payout) => payout.amount.minor === 42n && payout.reference !== '');
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    for (const { owner } of providers) expect(await owed(owner)).toBe(42n);
    await scene.pass(2 * 3_600_000);
    await runToQuiet(scene.deps);
    expect(await owed(other.owner)).toBe(42n);
    await addDestination(scene, other.owner);
    await runToQuiet(scene.deps);
    scene.bank.settle();
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    expect(await owed(other.owner)).toBe(0n);
    expect(await linesOf(job)).toEqual(expect.arrayContaining(['payout_failed 42', 'payout_paid 42']));
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('whose payout comes back after it was paid are owed again', async () => {
    const job = await settled();
    scene.bank.settle();
    await scene.deliverWebhooks();
    await runToQuiet(scene.deps);
    const [payout] = await scene.db.query<{ id: string; providerId: string; party: AccountId }>(
      `SELECT t.id, t.provider_id AS "providerId", t.party_id AS party FROM transfer t
       JOIN payout_share s ON s.transfer_id = t.id WHERE s.job_id = $1 ORDER BY t.id LIMIT 1`,
      [job],
    );
    if (!payout) throw new Error('a payout was made');
    const deps = scene.compose({
      provider: (bank) => ({
        ...bank,
        async getPayout(id) {
          const seen = await bank.getPayout(id);
          return seen.kind === 'ok' && id === payout.providerId
            ? { kind: 'ok', value: { ...seen.value, state: 'failed', failure: 'bank_closed' } }
            : seen;
        },
      }),
    });
    await deps.store.transaction((tx) =>
      tx.inbox.receive({
        source: 'eu',
        eventKey: `returned-${payout.id}`,
        raw: new Uint8Array(),
        headers: {},
        notice: { object: 'payout', providerId: payout.providerId },
      }),
    );
    await runToQuiet(deps);
    expect(await owed(payout.party)).toBe(42n);
    expect(await linesOf(job)).toEqual(expect.arrayContaining(['payout_returned 42']));
    expect(await checkBooks(scene.deps)).toEqual([]);
  });

  test('are never paid out twice by servers that look at the same time', async () => {
    const { job } = await fund(scene, { chunks: 4 });
    await work(scene, providers);
    await scene.pass(challengeWindowMs + 1000);
    const servers = Array.from({ length: 4 }, () => scene.compose());
    await Promise.all(servers.map((deps) => runToQuiet(deps)));
    await runToQuiet(scene.deps);
    const lines = await linesOf(job);
    expect(lines.filter((line) => line.startsWith('settlement'))).toHaveLength(4);
    expect(lines.filter((line) => line.startsWith('payout_sent'))).toHaveLength(2);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});
