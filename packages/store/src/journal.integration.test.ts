import { currencyExponents, escrowStates, escrowTable, money } from '@assay/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findEscrow, lockDueEscrows, moveEscrow, openEscrow } from './escrow.ts';
import { postEntries, postEntry, readJobLines } from './journal.ts';
import { balanceOf } from './money-account.ts';
import {
  commission,
  dueJob,
  escrowOf,
  payableTo,
  payIn,
  release,
  stripe,
  testJob,
  usd,
} from './money-examples.setup.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
let jobNumber = 0;
let job = testJob(0);

beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());
beforeEach(() => {
  jobNumber += 1;
  job = testJob(jobNumber);
});

const refusal = (code: string): object => ({ name: 'Refusal', code });

describe('the tables of the core', () => {
  test('currencies have the exponents of the core', async () => {
    const rows = await at.db.query<{ code: string; exponent: number }>('SELECT code, exponent FROM currency');
    expect(Object.fromEntries(rows.map((row) => [row.code, row.exponent]))).toEqual(currencyExponents);
  });

  test('escrows move along the edges of the core', async () => {
    const [states] = await at.db.query('SELECT enum_range(NULL::escrow_state)::text[] AS all');
    expect(states).toEqual({ all: escrowStates });
    const edges = await at.db.query<{ from: string; to: string }>(
      'SELECT from_state AS from, to_state AS to FROM escrow_edge',
    );
    expect(edges.map((edge) => `${edge.from} ${edge.to}`).toSorted()).toEqual(
      escrowTable.rows.map(([from, , to]) => `${from} ${to}`).toSorted(),
    );
  });

  test('every pair of states that is no edge is refused', async () => {
    const edges = new Set(escrowTable.rows.map(([from, , to]) => `${from} ${to}`));
    const path: Record<string, readonly string[]> = {
      awaiting_payment: [],
      funded: ['funded'],
      challenge: ['funded', 'challenge'],
      frozen: ['funded', 'frozen'],
      released: ['funded', 'challenge', 'released'],
      refunded: ['funded', 'refunded'],
      split: ['funded', 'frozen', 'split'],
      charged_back: ['funded', 'charged_back'],
      expired: ['expired'],
    };
    let refused = 0;
    for (const from of escrowStates) {
      for (const to of escrowStates) {
        if (from === to || edges.has(`${from} ${to}`)) continue;
        jobNumber += 1;
        const walked = testJob(jobNumber);
        const attempt = at.db.transaction(async (tx) => {
          await openEscrow(tx, walked, usd(5));
          let state: (typeof escrowStates)[number] = 'awaiting_payment';
          for (const next of path[from] as (typeof escrowStates)[number][]) {
            await moveEscrow(tx, walked, state, next, next === 'challenge' ? { windowMs: 0 } : {});
            state = next;
          }
          await moveEscrow(tx, walked, state, to, to === 'challenge' ? { windowMs: 0 } : {});
        });
        await expect(attempt, `${from} -> ${to}`).rejects.toMatchObject(refusal('escrow.wrong_state'));
        refused += 1;
      }
    }
    expect(refused).toBe(escrowStates.length * (escrowStates.length - 1) - edges.size);
  });
});

describe('an entry', () => {
  test('moves money once per key and shows in balances and lines', async () => {
    await at.db.transaction((tx) => payIn(tx, job, usd(1000)));
    await at.db.transaction((tx) => payIn(tx, job, usd(1000))).catch(() => undefined);
    expect(await balanceOf(at.db, escrowOf(job), 'USD')).toEqual(usd(1000));
    const lines = await readJobLines(at.db, job);
    expect(lines).toMatchObject([{ seq: 1, kind: 'payment', debit: stripe, credit: escrowOf(job), amount: usd(1000) }]);
    expect(await findEscrow(at.db, job)).toMatchObject({ state: 'funded', amount: usd(1000) });
  });

  test('with the same key and content is already there; with other content it is refused', async () => {
    const entry = {
      key: `payment-late:${job}`,
      kind: 'payment',
      cause: { event: 'one' },
      postings: [{ debit: stripe, credit: { kind: 'customer_credit' as const, ref: job }, amount: usd(7) }],
    };
    expect(await at.db.transaction((tx) => postEntry(tx, entry))).toBe('booked');
    expect(await at.db.transaction((tx) => postEntry(tx, { ...entry, cause: { event: 'two' } }))).toBe('already');
    for (const other of [
      { ...entry, kind: 'other' },
      { ...entry, jobId: job },
      { ...entry, postings: [{ ...entry.postings[0]!, amount: usd(8) }] },
      { ...entry, postings: [{ ...entry.postings[0]!, amount: money('EUR', 7n) }] },
      { ...entry, postings: [...entry.postings, ...entry.postings] },
    ]) {
      const attempt = at.db.transaction((tx) => postEntry(tx, other));
      await expect(attempt).rejects.toMatchObject(refusal('idempotency.key_reused'));
    }
    expect(await balanceOf(at.db, { kind: 'customer_credit', ref: job }, 'USD')).toEqual(usd(7));
  });

  test('told twenty times at once is booked once', async () => {
    const entry = {
      key: `payment-twice:${job}`,
      kind: 'payment',
      cause: {},
      postings: [{ debit: stripe, credit: { kind: 'customer_credit' as const, ref: job }, amount: usd(9) }],
    };
    const bookings = await Promise.all(
      Array.from({ length: 20 }, () => at.db.transaction((tx) => postEntry(tx, entry))),
    );
    expect(bookings.filter((booking) => booking === 'booked')).toHaveLength(1);
    expect(await balanceOf(at.db, { kind: 'customer_credit', ref: job }, 'USD')).toEqual(usd(9));
  });

  test('of a batch that repeats itself is booked once; a contradiction within the batch is refused', async () => {
    const entry = {
      key: `batch-1:${job}`,
      kind: 'payment',
      cause: {},
      postings: [{ debit: stripe, credit: { kind: 'customer_credit' as const, ref: job }, amount: usd(3) }],
    };
    const other = { ...entry, key: `batch-2:${job}` };
    const bookings = await at.db.transaction((tx) => postEntries(tx, [entry, other, entry]));
    expect(bookings).toEqual(['booked', 'booked', 'already']);
    const wrong = at.db.transaction((tx) => postEntries(tx, [entry, { ...entry, kind: 'other' }]));
    await expect(wrong).rejects.toMatchObject(refusal('idempotency.key_reused'));
    expect(await balanceOf(at.db, { kind: 'customer_credit', ref: job }, 'USD')).toEqual(usd(6));
  });

  test('leaves out what moves nothing, and a negative amount is refused', async () => {
    const credit = { kind: 'customer_credit' as const, ref: job };
    const entry = { key: `nothing:${job}`, kind: 'payment', cause: {} };
    const zero = { ...entry, postings: [{ debit: stripe, credit, amount: usd(0) }] };
    expect(await at.db.transaction((tx) => postEntry(tx, zero))).toBe('booked');
    expect(await at.db.transaction((tx) => postEntry(tx, zero))).toBe('already');
    const less = { ...entry, key: `less:${job}`, postings: [{ debit: stripe, credit, amount: usd(-1) }] };
    await expect(at.db.transaction((tx) => postEntry(tx, less))).rejects.toMatchObject(refusal('money.malformed'));
  });

  test('of kind reversal takes a flow back; no other may', async () => {
    const credit = { kind: 'customer_credit' as const, ref: job };
    const pay = {
      key: `rev-1:${job}`,
      kind: 'payment',
      cause: {},
      postings: [{ debit: stripe, credit, amount: usd(4) }],
    };
    const back = [{ debit: credit, credit: stripe, amount: usd(4) }];
    await at.db.transaction((tx) => postEntry(tx, pay));
    const wrong = at.db.transaction((tx) => postEntry(tx, { ...pay, key: `rev-2:${job}`, postings: back }));
    await expect(wrong).rejects.toMatchObject(refusal('journal.wrong_flow'));
    await at.db.transaction((tx) => postEntry(tx, { ...pay, key: `rev-3:${job}`, kind: 'reversal', postings: back }));
    expect(await balanceOf(at.db, credit, 'USD')).toEqual(usd(0));
  });

  test('splits 10.01 between refund, worker and commission to the cent; one cent more or less is refused', async () => {
    for (const [refund, earned, fee, works] of [
      [501, 460, 40, true],
      [501, 460, 41, false],
      [500, 460, 40, false],
    ] as const) {
      jobNumber += 1;
      const part = testJob(jobNumber);
      await at.db.transaction(async (tx) => {
        await payIn(tx, part, usd(1001));
        await moveEscrow(tx, part, 'funded', 'frozen');
      });
      const attempt = at.db.transaction(async (tx) => {
        await moveEscrow(tx, part, 'frozen', 'split');
        await postEntry(tx, {
          key: `split:${part}`,
          kind: 'split',
          jobId: part,
          cause: {},
          postings: [
            { debit: escrowOf(part), credit: { kind: 'refund_in_flight', ref: part }, amount: usd(refund) },
            { debit: escrowOf(part), credit: payableTo(`split-${part}`), amount: usd(earned) },
            { debit: escrowOf(part), credit: commission, amount: usd(fee) },
          ],
        });
      });
      if (works) await attempt;
      else await expect(attempt).rejects.toMatchObject({ name: 'Refusal' });
      const held = await balanceOf(at.db, escrowOf(part), 'USD');
      expect(held).toEqual(usd(works ? 0 : 1001));
    }
  });
});

describe('the window', () => {
  test('holds the money until its end and until the funds are there, by the clock of the database', async () => {
    const later = new Date(Date.now() + 3_600_000);
    await at.db.transaction(async (tx) => {
      await payIn(tx, job, usd(100));
      await moveEscrow(tx, job, 'funded', 'challenge', { windowMs: 0, fundsAvailableAt: later });
    });
    const early = at.db.transaction((tx) => release(tx, job, 'w', usd(92), usd(8)));
    await expect(early).rejects.toMatchObject(refusal('escrow.window_open'));
    const due = await at.db.transaction((tx) => lockDueEscrows(tx, 1000));
    expect(due.map((escrow) => escrow.jobId)).not.toContain(job);
  });

  test('that is over lists the escrow as due and lets it go', async () => {
    await dueJob(at.db, job, usd(100));
    const due = await at.db.transaction((tx) => lockDueEscrows(tx, 1000));
    expect(due.map((escrow) => escrow.jobId)).toContain(job);
    await at.db.transaction((tx) => release(tx, job, 'w-due', usd(92), usd(8)));
    expect(await balanceOf(at.db, payableTo('w-due'), 'USD')).toEqual(usd(92));
    expect(await findEscrow(at.db, job)).toMatchObject({ state: 'released' });
  });

  test('of 300 jobs, released and disputed at once by several, ends each job exactly once', async () => {
    const jobs = Array.from({ length: 300 }, (_, index) => testJob(100_000 + index));
    await at.db.transaction(async (tx) => {
      for (const one of jobs) {
        await payIn(tx, one, usd(1000));
        await moveEscrow(tx, one, 'funded', 'challenge', { windowMs: 0 });
      }
    });
    const lost: unknown[] = [];
    const losing = (error: unknown): void => void lost.push(error);
    const tryRelease = (one: typeof job): Promise<void> =>
      at.db.transaction((tx) => release(tx, one, 'racer', usd(920), usd(80))).catch(losing);
    const tryDispute = (one: typeof job): Promise<unknown> =>
      at.db.transaction((tx) => moveEscrow(tx, one, 'challenge', 'frozen')).catch(losing);
    await Promise.all(jobs.flatMap((one) => [tryRelease(one), tryDispute(one), tryRelease(one)]));
    const rows = await at.db.query<{ state: string; count: bigint }>(
      `SELECT state, count(*) FROM escrow WHERE job_id = ANY($1) GROUP BY state`,
      [jobs],
    );
    const counts = Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]));
    const released = counts['released'] ?? 0;
    expect(released + (counts['frozen'] ?? 0)).toBe(300);
    expect(lost).toHaveLength(600);
    for (const error of lost) expect(error).toMatchObject(refusal('escrow.wrong_state'));
    expect(await balanceOf(at.db, payableTo('racer'), 'USD')).toEqual(usd(920 * released));
  }, 60_000);
});

describe('payouts', () => {
  test('of a whole balance, asked for twice at once, leave once', async () => {
    await dueJob(at.db, job, usd(1000));
    const worker = `payout-${job}`;
    await at.db.transaction((tx) => release(tx, job, worker, usd(920), usd(80)));
    const payOut = (payout: string): Promise<unknown> =>
      at.db.transaction((tx) =>
        postEntry(tx, {
          key: `payout:${payout}`,
          kind: 'payout',
          cause: {},
          postings: [{ debit: payableTo(worker), credit: { kind: 'payout_in_flight', ref: payout }, amount: usd(920) }],
        }),
      );
    const outcomes = await Promise.allSettled([payOut(`${job}-a`), payOut(`${job}-b`), payOut(`${job}-c`)]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(refusal('journal.overdraft'));
    }
    expect(await balanceOf(at.db, payableTo(worker), 'USD')).toEqual(usd(0));
  });
});
