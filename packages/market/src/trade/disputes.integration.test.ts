import { newId, receiptText, type AccountId, type DisputeId, type JobId } from '@assay/core';
import { verifyReceipt } from '@assay/verify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addAccount, type Device } from '../work/work-scene.setup.ts';
import { buildReceipt } from './build-receipt.ts';
import { checkBooks } from './check-books.ts';
import { disputeJob, resolveDispute } from './dispute-job.ts';
import { moneyTimeline } from './money-timeline.ts';
import { runToQuiet } from './processes.ts';
import { releaseDue } from './release-due.ts';
import {
  addProvider,
  challengeWindowMs,
  fund,
  ids,
  openTradeScene,
  refusal,
  work,
  type TradeScene,
} from './trade-scene.setup.ts';

let scene: TradeScene;
let providers: Device[];
let arbiter: AccountId;
beforeAll(async () => {
  scene = await openTradeScene();
  arbiter = await addAccount(scene.db);
});
afterAll(() => scene.close());
// Of their own for each test: the commission is counted on a month's earnings.
beforeEach(async () => {
  providers = await Promise.all(Array.from({ length: 3 }, () => addProvider(scene)));
});

const jobOf = (id: JobId) => scene.deps.store.transaction((tx) => tx.jobs.find(id));
const kindsOf = async (id: JobId) =>
  (await moneyTimeline(scene.deps, id)).map((line) => `${line.kind} ${line.amount.minor}`);

/** A verified job inside its window: 135 cents charged, 45 earned by each of three providers. */
async function verified(): Promise<{ customer: AccountId; job: JobId }> {
  const made = await fund(scene);
  await work(scene, providers);
  await runToQuiet(scene.deps);
  expect(await jobOf(made.job)).toMatchObject({ state: 'verified' });
  return made;
}

const dispute = (made: { customer: AccountId; job: JobId }) =>
  disputeJob(scene.deps, { ...made, reason: 'the result is wrong' });

describe('a dispute', () => {
  test('freezes the money: nothing moves however late it gets', async () => {
    const made = await verified();
    const opened = await dispute(made);
    expect(opened).toMatchObject({ state: 'open', job: made.job, openedBy: made.customer });
    await scene.pass(30 * 24 * 3_600_000);
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'disputed', paidOut: null, ledgerProblem: null });
    expect(await kindsOf(made.job)).toEqual(['payment_to_escrow 135']);
    expect(await checkBooks(scene.deps)).toEqual([]);
    expect(verifyReceipt(receiptText(await buildReceipt(scene.deps, made.job)))).toMatchObject({ ok: true });
  });

  test('is for the customer, once, inside the window', async () => {
    const made = await verified();
    const customer = await addAccount(scene.db);
    expect(await refusal(() => dispute({ customer, job: made.job }))).toBe('job.not_found');
    await dispute(made);
    expect(await refusal(() => dispute(made))).toBe('dispute.exists');
    const funded = await fund(scene);
    expect(await refusal(() => dispute(funded))).toBe('job.wrong_state');
    await work(scene, providers);
    await scene.pass(challengeWindowMs + 1000);
    expect(await refusal(() => dispute(funded))).toBe('escrow.window_closed');
  });

  test('and the release in the same moment: exactly one wins', async () => {
    for (let round = 0; round < 10; round += 1) {
      const made = await verified();
      // The window ends while both are on their way.
      await scene.pass(challengeWindowMs - 3);
      const [disputed] = await Promise.allSettled([dispute(made), releaseDue(scene.deps), releaseDue(scene.deps)]);
      await scene.pass(1000);
      await runToQuiet(scene.deps);
      const row = await jobOf(made.job);
      expect(row?.ledgerProblem).toBeNull();
      expect(row?.state).toBe(disputed.status === 'fulfilled' ? 'disputed' : 'completed');
    }
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});

describe('a ruling', () => {
  test.each([
    ['release', undefined, 'completed', ['settlement 42', 'settlement 42', 'settlement 42', 'settlement 9']],
    ['refund', undefined, 'refunded', ['refund_sent 135']],
    [
      'split',
      35n,
      'completed',
      // 100 cents are left of 135: 34 + 33 + 33, of each 8 % rounded down.
      ['settlement 32', 'settlement 31', 'settlement 31', 'settlement 6', 'settlement 35'],
    ],
    ['split', 134n, 'completed', ['settlement 1', 'settlement 134']],
  ] as const)('of %s %s ends the job as %s', async (outcome, refundMinor, state, settlement) => {
    const made = await verified();
    const { id } = await dispute(made);
    const ruling = { dispute: id, arbiter, outcome, reason: 'so it is' };
    await resolveDispute(scene.deps, refundMinor === undefined ? ruling : { ...ruling, refundMinor });
    await runToQuiet(scene.deps);
    const row = await jobOf(made.job);
    expect(row).toMatchObject({ state, ledgerProblem: null });
    expect((row?.paidOut?.minor ?? 0n) + (row?.refunded?.minor ?? 0n)).toBe(135n);
    const kinds = await kindsOf(made.job);
    expect(kinds.filter((kind) => kind.startsWith('settlement') || kind === 'refund_sent 135')).toEqual(
      expect.arrayContaining([...settlement]),
    );
    const receipt = verifyReceipt(receiptText(await buildReceipt(scene.deps, made.job)));
    expect(receipt).toMatchObject({ ok: true, summary: { state } });
    expect(await checkBooks(scene.deps)).toEqual([]);
    expect(await refusal(() => resolveDispute(scene.deps, ruling))).toBe('job.wrong_state');
  });

  test('is refused to parties, for sums that do not fit, and where there is no dispute', async () => {
    const made = await verified();
    const { id } = await dispute(made);
    const rule = (more: object) => () =>
      resolveDispute(scene.deps, { dispute: id, arbiter, outcome: 'split', reason: 'so it is', ...more });
    expect(await refusal(rule({ arbiter: made.customer, refundMinor: 1n }))).toBe('auth.forbidden');
    expect(await refusal(rule({ arbiter: providers[0]?.owner, refundMinor: 1n }))).toBe('auth.forbidden');
    expect(await refusal(rule({}))).toBe('money.bad_split');
    expect(await refusal(rule({ refundMinor: 0n }))).toBe('money.bad_split');
    expect(await refusal(rule({ refundMinor: 135n }))).toBe('escrow.insufficient_funds');
    expect(await refusal(rule({ outcome: 'release', refundMinor: 1n }))).toBe('money.bad_split');
    expect(await refusal(rule({ dispute: newId('dispute', ids) as DisputeId }))).toBe('dispute.not_found');
    await scene.deps.store.transaction(async (tx) => {
      expect(await tx.disputes.ofJob(made.job)).toMatchObject({ state: 'open', refund: null });
    });
  });

  test('of two arbiters at once: one decides', async () => {
    const made = await verified();
    const { id } = await dispute(made);
    const rulings = await Promise.allSettled([
      resolveDispute(scene.deps, { dispute: id, arbiter, outcome: 'refund', reason: 'all of it' }),
      resolveDispute(scene.deps, { dispute: id, arbiter, outcome: 'release', reason: 'none of it' }),
    ]);
    expect(rulings.filter((ruling) => ruling.status === 'fulfilled')).toHaveLength(1);
    await scene.quiet();
    expect(await checkBooks(scene.deps)).toEqual([]);
  });
});

describe('an ending that somebody signed on the ledger by hand', () => {
  let calls = 0;
  const byHand = async (role: 'arbiter' | 'orchestrator', call: string, job: JobId, ...args: string[]) => {
    const [contract, fn] = call.split('.') as ['Contract' | 'EscrowTrigger', string];
    calls += 1;
    const submission = { contract, fn, args: [job, ...args], idempotencyKey: `by-hand/${calls}` };
    const [outcome] = await scene.deps.ledger.submit([submission], scene.deps.identities[role]);
    expect(outcome).toMatchObject({ kind: 'committed' });
  };
  const hash = 'ab'.repeat(32);

  test.each(['COMPLETED', 'REFUNDED'])('moves no money of an undecided dispute: %s', async (outcome) => {
    const made = await verified();
    await dispute(made);
    await runToQuiet(scene.deps);
    await byHand('arbiter', 'Contract.resolveDispute', made.job, outcome, hash);
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({
      state: 'disputed',
      paidOut: null,
      ledgerProblem: expect.stringContaining('no ruling') as string,
    });
    expect(await kindsOf(made.job)).toEqual(['payment_to_escrow 135']);
  });

  test('inside the challenge window moves no money and holds up nobody else', async () => {
    const made = await fund(scene);
    await scene.quiet();
    await work(scene, providers);
    expect(await jobOf(made.job)).toMatchObject({ state: 'verified' });
    const now = String(await scene.deps.store.transaction((tx) => tx.trail.nowMs()));
    await byHand('orchestrator', 'Contract.submitWork', made.job, hash, hash);
    await byHand('orchestrator', 'Contract.verifyWork', made.job);
    await byHand('orchestrator', 'EscrowTrigger.startChallengeTimer', made.job, now, now);
    await byHand('orchestrator', 'EscrowTrigger.triggerPayout', made.job);
    await byHand('orchestrator', 'Contract.completeContract', made.job);
    await runToQuiet(scene.deps);
    expect(await jobOf(made.job)).toMatchObject({ state: 'verified', ledgerProblem: expect.any(String) as string });
    const other = await verified();
    await scene.pass(challengeWindowMs + 1000);
    await runToQuiet(scene.deps);
    expect(await jobOf(other.job)).toMatchObject({ state: 'completed', ledgerProblem: null });
    expect(await kindsOf(made.job)).toEqual(['payment_to_escrow 135']);
  });
});
