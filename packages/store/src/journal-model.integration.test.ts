/** Random histories of jobs and payouts, run on the database and on a pure model; after each step no cent is lost. */

import { type EscrowState, escrowTable, holdingStates, type JobId, Refusal } from '@assay/core';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEscrow, moveEscrow, openEscrow } from './escrow.ts';
import { type Posting, postEntry } from './journal.ts';
import { type AccountRef, balanceOf } from './money-account.ts';
import { commission, escrowOf, payableTo, stripe, testJob, usd } from './money-examples.setup.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());

/** One thing that happens: a move of an escrow, postings, or both, in one transaction. */
interface Step {
  readonly name: string;
  readonly job: number;
  readonly move?: readonly [EscrowState, EscrowState];
  readonly windowMs?: number;
  /** From the size of the escrow and an error of a cent or none, what is booked. */
  readonly flows: readonly { readonly from: Place; readonly to: Place; readonly amount: number }[];
}
type Place = 'psp' | 'escrow' | 'worker' | 'payout' | 'refund' | 'commission' | 'credit';

interface Model {
  readonly escrows: Map<number, { state: EscrowState; windowOpen: boolean }>;
  readonly balances: Map<string, bigint>;
}

const price = 1000;
const hourMs = 3_600_000;
const stepsOf = (job: number, off: number): Step[] => [
  {
    name: 'pay',
    job,
    move: ['awaiting_payment', 'funded'],
    flows: [{ from: 'psp', to: 'escrow', amount: price + off }],
  },
  { name: 'expire', job, move: ['awaiting_payment', 'expired'], flows: [] },
  { name: 'pay late', job, flows: [{ from: 'psp', to: 'credit', amount: price }] },
  { name: 'verify', job, move: ['funded', 'challenge'], windowMs: off === 0 ? 0 : hourMs, flows: [] },
  { name: 'dispute', job, move: ['challenge', 'frozen'], flows: [] },
  { name: 'resume', job, move: ['frozen', 'challenge'], windowMs: 0, flows: [] },
  { name: 'fail', job, move: ['funded', 'refunded'], flows: [{ from: 'escrow', to: 'refund', amount: price + off }] },
  ...(['challenge', 'frozen'] as const).map((from) => ({
    name: `release from ${from}`,
    job,
    move: [from, 'released'] as const,
    flows: [
      { from: 'escrow' as const, to: 'worker' as const, amount: 620 + off },
      { from: 'escrow' as const, to: 'commission' as const, amount: 80 },
      { from: 'escrow' as const, to: 'refund' as const, amount: 300 },
    ],
  })),
  {
    name: 'split',
    job,
    move: ['frozen', 'split'],
    flows: [
      { from: 'escrow', to: 'refund', amount: 501 },
      { from: 'escrow', to: 'worker', amount: 459 },
      { from: 'escrow', to: 'commission', amount: 40 + off },
    ],
  },
  {
    name: 'charge back',
    job,
    move: ['challenge', 'charged_back'],
    flows: [{ from: 'escrow', to: 'psp', amount: price }],
  },
  { name: 'steal', job, flows: [{ from: 'escrow', to: 'worker', amount: 500 }] },
  { name: 'pay out', job, flows: [{ from: 'worker', to: 'payout', amount: 600 + 20 * off }] },
  { name: 'payout paid', job, flows: [{ from: 'payout', to: 'psp', amount: 600 }] },
  { name: 'payout failed', job, flows: [{ from: 'payout', to: 'worker', amount: 600 + off }] },
  { name: 'refund paid', job, flows: [{ from: 'refund', to: 'psp', amount: 300 }] },
  { name: 'refund failed', job, flows: [{ from: 'refund', to: 'credit', amount: 300 + off }] },
];

const guarded: ReadonlySet<Place> = new Set(['escrow', 'worker', 'payout', 'refund', 'credit']);
// All jobs of a history share one worker and its payouts; each has its own escrow, refund and credit.
const nameOf = (place: Place, job: number): string =>
  ['escrow', 'refund', 'credit'].includes(place) ? `${place} ${job}` : place;

/** What the rules say: the refusal's code, or undefined and the model is moved. */
function apply(model: Model, step: Step): string | undefined {
  const escrow = model.escrows.get(step.job);
  if (step.move) {
    if (!escrow) return 'escrow.not_found';
    const [from, to] = step.move;
    if (escrow.state !== from) return 'escrow.wrong_state';
    expect(escrowTable.rows.some((row) => row[0] === from && row[2] === to)).toBe(true);
    if (from === 'challenge' && to === 'released' && escrow.windowOpen) return 'escrow.window_open';
  }
  const balances = new Map(model.balances);
  for (const { from, to, amount } of step.flows) {
    for (const [place, by] of [[from, -amount] as const, [to, amount] as const]) {
      const name = nameOf(place, step.job);
      balances.set(name, (balances.get(name) ?? 0n) + BigInt(by));
    }
  }
  const short = step.flows.some(({ from }) => guarded.has(from) && (balances.get(nameOf(from, step.job)) ?? 0n) < 0n);
  if (short) return 'journal.overdraft';
  const state = step.move?.[1] ?? escrow?.state;
  const held = balances.get(nameOf('escrow', step.job)) ?? 0n;
  if (held !== (state && holdingStates.includes(state) ? BigInt(price) : 0n)) return 'escrow.unbalanced';
  if (step.move) model.escrows.set(step.job, { state: step.move[1], windowOpen: (step.windowMs ?? 0) > 0 });
  for (const [name, balance] of balances) model.balances.set(name, balance);
  return undefined;
}

let histories = 0;
let entries = 0;

const accounts: Readonly<Record<Place, (job: JobId, history: number) => AccountRef>> = {
  psp: (_job, history) => ({ ...stripe, ref: `stripe-${history}` }),
  commission: (_job, history) => ({ ...commission, ref: `platform-${history}` }),
  escrow: (job) => escrowOf(job),
  worker: (_job, history) => payableTo(`worker-${history}`),
  payout: (_job, history) => ({ kind: 'payout_in_flight', ref: `payout-${history}` }),
  refund: (job) => ({ kind: 'refund_in_flight', ref: job }),
  credit: (job) => ({ kind: 'customer_credit', ref: job }),
};

/** Runs the step on the database; the refusal's code, or undefined. */
async function run(step: Step, history: number): Promise<string | undefined> {
  const job = testJob(history * 10 + step.job);
  const postings: Posting[] = step.flows.map(({ from, to, amount }) => ({
    debit: accounts[from](job, history),
    credit: accounts[to](job, history),
    amount: usd(amount),
  }));
  entries += 1;
  const key = `model-step-${entries}`;
  try {
    await at.db.transaction(async (tx) => {
      const times = step.windowMs === undefined ? {} : { windowMs: step.windowMs };
      if (step.move) await moveEscrow(tx, job, ...step.move, times);
      if (postings.length > 0)
        await postEntry(tx, { key, kind: 'step', jobId: job, cause: { name: step.name }, postings });
    });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

async function compare(model: Model, history: number): Promise<void> {
  let sum = 0n;
  for (const [name, balance] of model.balances) {
    const [place, job] = name.split(' ');
    const account = accounts[place as Place](testJob(history * 10 + Number(job ?? 0)), history);
    expect((await balanceOf(at.db, account, 'USD')).minor, name).toBe(balance);
    sum += balance;
  }
  expect(sum, 'money neither appears nor vanishes').toBe(0n);
  for (const [job, { state }] of model.escrows) {
    expect((await findEscrow(at.db, testJob(history * 10 + job)))?.state).toBe(state);
  }
}

const anyStep = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom(-1, 0, 0, 0, 0, 1))
  .chain(([job, off]) => fc.constantFrom(...stepsOf(job, off)));

const stepNamed = (name: string, job: number): Step => {
  const found = stepsOf(job, 0).find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};
/** A walk through every ending, whatever chance does. */
const fixedHistory: Step[] = [
  ...['pay', 'verify', 'dispute', 'resume', 'release from challenge', 'pay out', 'payout failed'].map((n) =>
    stepNamed(n, 0),
  ),
  ...['pay out', 'payout paid', 'refund paid'].map((name) => stepNamed(name, 0)),
  ...['pay', 'steal', 'fail', 'refund failed', 'refund paid'].map((name) => stepNamed(name, 1)),
];

test('the database refuses and books exactly what the model does', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 30, maxLength: 60 }), async (steps) => {
      histories += 1;
      const history = histories;
      const model: Model = { escrows: new Map(), balances: new Map() };
      for (const job of [0, 1]) {
        await at.db.transaction((tx) => openEscrow(tx, testJob(history * 10 + job), usd(price)));
        model.escrows.set(job, { state: 'awaiting_payment', windowOpen: false });
      }
      for (const step of steps) {
        const expected = apply(model, step);
        expect(await run(step, history), step.name).toBe(expected);
        seen.add(`${step.name}: ${expected ?? 'done'}`);
        await compare(model, history);
      }
    }),
    { numRuns: 40, examples: [[fixedHistory]] },
  );
  // A walk that never gets anywhere would prove nothing.
  for (const outcome of [
    'pay: done',
    'verify: done',
    'release from challenge: done',
    'fail: done',
    'steal: escrow.unbalanced',
  ]) {
    expect(seen).toContain(outcome);
  }
  const [wrong] = await at.db.query(
    `SELECT count(*) AS count FROM money_account a WHERE guarded AND (
       credits <> coalesce((SELECT sum(amount) FROM posting WHERE credit_id = a.id), 0)
       OR debits <> coalesce((SELECT sum(amount) FROM posting WHERE debit_id = a.id), 0))`,
  );
  expect(wrong, 'totals are the sums of the journal').toEqual({ count: 0n });
}, 120_000);
