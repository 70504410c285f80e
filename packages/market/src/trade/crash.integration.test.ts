import type { AccountId, JobId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAccount, type Device } from '../work/work-scene.setup.ts';
import { Crash, crashing, fateAt, type Fate } from './crashing.setup.ts';
import { checkBooks } from './check-books.ts';
import { createJob } from './create-job.ts';
import { disputeJob, resolveDispute } from './dispute-job.ts';
import { payJob } from './pay-job.ts';
import { runToQuiet } from './processes.ts';
import { receiveWebhook } from './receive-webhook.ts';
import type { TradeDeps } from './trade-deps.ts';
import {
  addProvider,
  bankBalance,
  bundle,
  challengeWindowMs,
  ids,
  manifestOf,
  openTradeScene,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
let providers: Device[];
let arbiter: AccountId;
beforeAll(async () => {
  scene = await openTradeScene();
  providers = await Promise.all(Array.from({ length: 3 }, () => addProvider(scene)));
  arbiter = await addAccount(scene.db);
});
afterAll(() => scene.close());

/** What the customer, the workers and the clock do for one job; every step may be repeated. */
interface Plot {
  readonly customer: AccountId;
  readonly key: string;
  readonly ending: 'release' | 'split' | 'refund';
}

async function act(deps: TradeDeps, plot: Plot): Promise<JobId> {
  const { customer, key: idempotencyKey, ending } = plot;
  const made = await createJob(deps, { customer, manifest: manifestOf(), bundle, idempotencyKey });
  const job = made.job.id;
  await payJob(deps, { customer, job, method: 'instant' });
  await hearBank(deps);
  await runToQuiet(deps);
  await work(scene, providers);
  await runToQuiet(deps);
  if (ending === 'release') await scene.pass(challengeWindowMs + 1000);
  else await argue(deps, job, plot);
  await runToQuiet(deps);
  scene.bank.settle();
  await hearBank(deps);
  await runToQuiet(deps);
  return job;
}

async function argue(deps: TradeDeps, job: JobId, { customer, ending }: Plot): Promise<void> {
  const read = () =>
    deps.store.transaction(async (tx) => [await tx.jobs.find(job), await tx.disputes.ofJob(job)] as const);
  const [before] = await read();
  if (before?.state === 'verified') await disputeJob(deps, { customer, job, reason: 'the result is wrong' });
  const [, dispute] = await read();
  if (dispute?.state !== 'open' || ending === 'release') return;
  const split = ending === 'split' ? { refundMinor: 50n } : {};
  await resolveDispute(deps, { dispute: dispute.id, arbiter, outcome: ending, reason: 'half of it', ...split });
}

/** The bank delivers everything again and again, as banks do. */
async function hearBank(deps: TradeDeps): Promise<void> {
  for (const delivery of scene.bank.deliveries.slice(-6)) {
    await receiveWebhook(deps, { region: 'eu', ...delivery }).catch((error: unknown) => {
      if (error instanceof Crash) throw error;
    });
  }
}

/** Runs the plot under a fate; after the crash a fresh process takes over. Returns whether there was a crash. */
async function runThrough(fate: Fate, plot: Plot): Promise<{ readonly job: JobId; readonly crashed: boolean }> {
  try {
    return { job: await act(scene.compose(crashing(fate)), plot), crashed: false };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    // Leases of the dead process run out.
    await scene.pass(61_000);
    await act(scene.deps, plot);
    await scene.quiet();
    return { job: await act(scene.deps, plot), crashed: true };
  }
}

const plotOf = async (ending: Plot['ending']): Promise<Plot> => ({
  customer: await addAccount(scene.db),
  key: `order-${ids.next()}`,
  ending,
});

/** Every cent of both books is accounted for and nothing is left on its way. */
async function expectConservation(job: JobId): Promise<void> {
  const row = await scene.deps.store.transaction((tx) => tx.jobs.find(job));
  expect(row).toMatchObject({ ledgerProblem: null });
  expect((row?.paidOut?.minor ?? 0n) + (row?.refunded?.minor ?? 0n)).toBe(135n);
  const [sums] = await scene.db.query<{ asset: bigint; commission: bigint; owed: bigint; payments: bigint }>(
    `SELECT coalesce(sum(CASE WHEN d.kind = 'psp_asset' THEN p.amount WHEN c.kind = 'psp_asset' THEN -p.amount END), 0)::bigint AS asset,
       coalesce(sum(p.amount) FILTER (WHERE c.kind = 'commission'), 0)::bigint AS commission,
       (SELECT coalesce(sum(credits - debits), 0)::bigint FROM money_account WHERE guarded) AS owed,
       (SELECT count(*) FROM transfer WHERE job_id = $1 AND kind = 'payment' AND state = 'succeeded') AS payments
     FROM posting p JOIN money_account d ON d.id = p.debit_id JOIN money_account c ON c.id = p.credit_id`,
    [job],
  );
  expect(sums).toEqual({ asset: await bankBalance(scene), commission: sums?.asset, owed: 0n, payments: 1n });
}

/** Of every call, each test tries one in so many; together they try nearly all. A stride of 1 takes minutes. */
const stride = 17;
const endings = ['release', 'split', 'refund'] as const;
const sides = ['before', 'after'] as const;
const cases = endings.flatMap((ending, i) => sides.map((side, j) => ({ ending, side, first: 1 + 6 * i + 3 * j })));

describe('a process that is killed', () => {
  test.each(cases)('$side a call loses and doubles nothing ($ending)', { timeout: 120_000 }, async (given) => {
    const { ending, side, first } = given;
    let n = first;
    for (; n < 400; n += stride) {
      const { job, crashed } = await runThrough(fateAt(n, side), await plotOf(ending));
      await expectConservation(job);
      if (!crashed) break;
    }
    expect(n).toBeGreaterThan(30);
    expect(n).toBeLessThan(400);
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});
