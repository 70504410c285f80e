import { receiptText, type AccountId, type JobId } from '@assay/core';
import { verifyReceipt } from '@assay/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildReceipt } from './build-receipt.ts';
import { checkBooks } from './check-books.ts';
import { moneyTimeline } from './money-timeline.ts';
import { runToQuiet } from './processes.ts';
import {
  addProvider,
  bankBalance,
  challengeWindowMs,
  fund,
  openTradeScene,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
beforeAll(async () => {
  scene = await openTradeScene();
});
afterAll(() => scene.close());

const jobOf = (id: JobId) => scene.deps.store.transaction((tx) => tx.jobs.find(id));
const owed = (account: AccountId) =>
  scene.deps.store.transaction((tx) => tx.money.balance('worker_payable', account, 'USD'));

describe('a job with one liar', () => {
  test('runs from the payment to the payout, to the cent', async () => {
    const providers = await Promise.all(Array.from({ length: 4 }, () => addProvider(scene)));
    const { job } = await fund(scene, { chunks: 3 });
    expect(await jobOf(job)).toMatchObject({ state: 'funded', charged: { minor: 405n } });
    await work(scene, providers, (device) => device === providers[0]);
    expect(await jobOf(job)).toMatchObject({ state: 'verified', unitsAgreed: 3 });
    await runToQuiet(scene.deps);
    expect(await jobOf(job)).toMatchObject({ state: 'verified', releaseRequested: false });

    const early = verifyReceipt(receiptText(await buildReceipt(scene.deps, job)));
    expect(early).toMatchObject({ ok: true });

    await scene.pass(challengeWindowMs + 1000);
    await scene.quiet();
    expect(await jobOf(job)).toMatchObject({
      state: 'completed',
      ledgerProblem: null,
      paidOut: { minor: 405n },
      refunded: { minor: 0n },
    });
    for (const { owner } of providers) expect((await owed(owner)).minor).toBe(0n);
    // Each honest provider earned 135 cents, of which 8 % are 10.8: rounded down.
    expect(await bankBalance(scene)).toBe(30n);
    expect(await checkBooks(scene.deps)).toEqual([]);
    const lines = await moneyTimeline(scene.deps, job);
    expect(lines.map((line) => `${line.kind} ${line.amount.minor}`)).toEqual([
      'payment_to_escrow 405',
      'settlement 125',
      'settlement 125',
      'settlement 125',
      'settlement 30',
      'payout_sent 125',
      'payout_sent 125',
      'payout_sent 125',
      'payout_paid 125',
      'payout_paid 125',
      'payout_paid 125',
    ]);
    const receipt = verifyReceipt(receiptText(await buildReceipt(scene.deps, job)));
    expect(receipt).toMatchObject({ ok: true, summary: { state: 'completed', agreed: 9 } });
    const counts = await scene.db.query(
      'SELECT id, agreed::int, disagreed::int, lost::int FROM worker WHERE id = ANY($1) ORDER BY agreed',
      [providers.map((device) => device.id)],
    );
    const [liar, honest] = [
      { agreed: 0, disagreed: 3, lost: 0 },
      { agreed: 3, disagreed: 0, lost: 0 },
    ];
    expect(counts).toMatchObject([{ ...liar, id: providers[0]?.id }, honest, honest, honest]);
    const known = await scene.ledger.evaluate(
      'Reputation',
      'getReputation',
      [providers[0]?.id ?? ''],
      scene.deps.identities.orchestrator,
    );
    expect(JSON.parse(known)).toMatchObject(liar);
    expect(scene.problems).toEqual([]);
  });
});
