/** What a program that was taken over could try as the role it logs in as. Everything here must be refused. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { moveEscrow } from './escrow.ts';
import { postEntry } from './journal.ts';
import { balanceOf } from './money-account.ts';
import { dueJob, escrowOf, payableTo, payIn, release, testJob, usd } from './money-examples.setup.ts';
import type { Tx } from './database.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
const funded = testJob(1);
const inWindow = testJob(2);
const due = testJob(3);
const settled = testJob(4);
const waiting = testJob(5);

const id = (job: string, kind = 'escrow'): string =>
  `(SELECT id FROM money_account WHERE kind = '${kind}' AND ref = '${job}' AND currency = 'USD')`;
const entry = (key: string, kind = 'attack'): string =>
  `INSERT INTO journal_entry (idem_key, kind, cause, request_hash) VALUES ('${key}-attack', '${kind}', '{}', repeat('0', 64))`;
const posting = (
  key: string,
  debit: string,
  credit: string,
  amount: bigint | number,
  seq = 1,
  currency = 'USD',
): string =>
  `INSERT INTO posting (entry_id, seq, debit_id, credit_id, currency, amount)
   SELECT id, ${seq}, ${debit}, ${credit}, '${currency}', ${amount} FROM journal_entry WHERE idem_key = '${key}-attack'`;
const eve = id('eve', 'worker_payable');
const old = `(SELECT id FROM journal_entry WHERE idem_key = 'release:${settled}')`;

beforeAll(async () => {
  at = await testDatabase();
  await at.db.query(`INSERT INTO money_account (kind, ref, currency) VALUES
    ('worker_payable', 'eve', 'USD'), ('worker_payable', 'eve', 'EUR'), ('chargeback_receivable', 'eve', 'USD'),
    ('escrow', 'stray', 'USD')`);
  await at.db.transaction((tx) => payIn(tx, funded, usd(1000)));
  await at.db.transaction(async (tx) => {
    await payIn(tx, inWindow, usd(1000));
    await moveEscrow(tx, inWindow, 'funded', 'challenge', { windowMs: 3_600_000 });
  });
  await dueJob(at.db, due, usd(1000));
  await dueJob(at.db, settled, usd(1000));
  await at.db.transaction((tx) => release(tx, settled, 'honest', usd(920), usd(80)));
  await at.db.transaction(async (tx) => {
    await tx.query(`INSERT INTO money_account (kind, ref, currency) VALUES ('escrow', $1, 'USD')`, [waiting]);
    await tx.query(
      `INSERT INTO escrow (job_id, account_id, currency, amount) SELECT $1, id, 'USD', 1000
      FROM money_account WHERE kind = 'escrow' AND ref = $1`,
      [waiting],
    );
  });
});
afterAll(() => at.drop());

const denied = '42501';
const attacks: readonly (readonly [name: string, error: string, statements: readonly string[]])[] = [
  ['raises its own balance', denied, [`UPDATE money_account SET credits = 1000000 WHERE ref = 'eve'`]],
  [
    'opens an account with money in it',
    denied,
    [`INSERT INTO money_account (kind, ref, currency, credits) VALUES ('worker_payable', 'mallory', 'USD', 500)`],
  ],
  ['renames an account', denied, [`UPDATE money_account SET ref = 'eve2' WHERE ref = 'honest'`]],
  ['deletes postings', denied, ['DELETE FROM posting']],
  ['changes postings', denied, ['UPDATE posting SET amount = 1']],
  ['deletes entries', denied, ['DELETE FROM journal_entry']],
  ['changes the cause of an entry', denied, [`UPDATE journal_entry SET cause = '{}'`]],
  ['empties the journal', denied, ['TRUNCATE posting, journal_entry CASCADE']],
  ['deletes accounts', denied, [`DELETE FROM money_account WHERE ref = 'eve'`]],
  ['books a negative amount', 'money.malformed', [entry('negative'), posting('negative', id(funded), eve, -5)]],
  ['books zero', 'money.malformed', [entry('zero'), posting('zero', id(funded), eve, 0)]],
  ['books from an account to itself', '23514', [entry('itself'), posting('itself', eve, eve, 5)]],
  [
    'books across currencies',
    '23503',
    [
      entry('across'),
      posting('across', id(funded), `(SELECT id FROM money_account WHERE ref = 'eve' AND currency = 'EUR')`, 5),
    ],
  ],
  [
    'books in a currency that is none',
    '23503',
    [`INSERT INTO money_account (kind, ref, currency) VALUES ('escrow', 'x', 'ABC')`],
  ],
  [
    'drains more than an escrow holds',
    'journal.overdraft',
    [entry('overdraft'), posting('overdraft', id(funded), eve, 1001)],
  ],
  [
    'drains an escrow while it is funded',
    'escrow.unbalanced',
    [entry('drain'), posting('drain', id(funded), eve, 400)],
  ],
  [
    'drains an escrow whose window is over, state unmoved',
    'escrow.unbalanced',
    [entry('unmoved'), posting('unmoved', id(due), eve, 1000)],
  ],
  [
    'pays itself out of nothing',
    'journal.overdraft',
    [entry('nothing'), posting('nothing', eve, id('eve', 'chargeback_receivable'), 5)],
  ],
  [
    'moves money between people who have no business',
    'journal.wrong_flow',
    [entry('theft'), posting('theft', id('honest', 'worker_payable'), eve, 10)],
  ],
  [
    'moves money from one escrow to another',
    'journal.wrong_flow',
    [entry('mix'), posting('mix', id(due), id(funded), 10)],
  ],
  [
    'marks an escrow as funded without money',
    'escrow.unbalanced',
    [`UPDATE escrow SET state = 'funded' WHERE job_id = '${waiting}'`],
  ],
  [
    'puts money into an escrow without its state',
    'escrow.unbalanced',
    [entry('gift'), posting('gift', id('stripe', 'psp_asset'), id(waiting), 1000)],
  ],
  [
    'puts less than the price into an escrow',
    'escrow.unbalanced',
    [
      entry('short'),
      posting('short', id('stripe', 'psp_asset'), id(waiting), 999),
      `UPDATE escrow SET state = 'funded' WHERE job_id = '${waiting}'`,
    ],
  ],
  [
    'keeps money in an account that no escrow speaks for',
    'escrow.unbalanced',
    [entry('stray'), posting('stray', id('stripe', 'psp_asset'), id('stray'), 10)],
  ],
  ['releases without paying', 'escrow.unbalanced', [`UPDATE escrow SET state = 'released' WHERE job_id = '${due}'`]],
  [
    'releases a cent less than it holds',
    'escrow.unbalanced',
    [`UPDATE escrow SET state = 'released' WHERE job_id = '${due}'`, entry('cent'), posting('cent', id(due), eve, 999)],
  ],
  ['skips the window', 'escrow.wrong_state', [`UPDATE escrow SET state = 'released' WHERE job_id = '${funded}'`]],
  [
    'opens a window that is over already',
    'escrow.window_open',
    [
      `UPDATE escrow SET state = 'challenge', release_due_at = '2020-01-01', funds_available_at = '2020-01-01' WHERE job_id = '${funded}'`,
    ],
  ],
  ['opens a window without an end', '23514', [`UPDATE escrow SET state = 'challenge' WHERE job_id = '${funded}'`]],
  [
    'releases before the window is over',
    'escrow.window_open',
    [`UPDATE escrow SET state = 'released' WHERE job_id = '${inWindow}'`],
  ],
  [
    'releases and moves the window in one statement',
    'escrow.window_open',
    [`UPDATE escrow SET state = 'released', release_due_at = '2020-01-01' WHERE job_id = '${inWindow}'`],
  ],
  [
    'brings the end of the window forward',
    'escrow.window_open',
    [`UPDATE escrow SET release_due_at = '2020-01-01' WHERE job_id = '${inWindow}'`],
  ],
  [
    'removes the end of the window',
    'escrow.window_open',
    [`UPDATE escrow SET release_due_at = NULL WHERE job_id = '${inWindow}'`],
  ],
  [
    'says that the funds came earlier',
    'escrow.window_open',
    [`UPDATE escrow SET funds_available_at = '2020-01-01' WHERE job_id = '${inWindow}'`],
  ],
  [
    'brings a settled escrow back',
    'escrow.wrong_state',
    [`UPDATE escrow SET state = 'challenge' WHERE job_id = '${settled}'`],
  ],
  ['changes the price', denied, [`UPDATE escrow SET amount = 1 WHERE job_id = '${funded}'`]],
  ['changes whose account it is', denied, [`UPDATE escrow SET account_id = ${eve} WHERE job_id = '${funded}'`]],
  ['deletes an escrow', denied, ['DELETE FROM escrow']],
  [
    'opens an escrow in another state',
    denied,
    [
      `INSERT INTO escrow (job_id, account_id, currency, amount, state) VALUES ('j', ${id('stray')}, 'USD', 1, 'challenge')`,
    ],
  ],
  [
    'opens an escrow on an account that is none of its own',
    'escrow.unbalanced',
    [`INSERT INTO escrow (job_id, account_id, currency, amount) VALUES ('j', ${eve}, 'USD', 1)`],
  ],
  [
    'opens an escrow on the account of another job',
    'escrow.unbalanced',
    [`INSERT INTO escrow (job_id, account_id, currency, amount) VALUES ('j', ${id(funded)}, 'USD', 1)`],
  ],
  [
    'adds to an entry of the past',
    'journal.append_only',
    [
      `INSERT INTO posting (entry_id, seq, debit_id, credit_id, currency, amount) VALUES (${old}, 9, ${id('honest', 'worker_payable')}, ${eve}, 'USD', 1)`,
    ],
  ],
  [
    'pretends that an entry is of this transaction',
    denied,
    [
      `INSERT INTO journal_entry (idem_key, kind, cause, request_hash, xid) VALUES ('pretend-1', 'attack', '{}', repeat('0', 64), '1')`,
    ],
  ],
  [
    'dates an entry back',
    denied,
    [
      `INSERT INTO journal_entry (idem_key, kind, cause, request_hash, at) VALUES ('backdate-1', 'attack', '{}', repeat('0', 64), '2020-01-01')`,
    ],
  ],
  [
    'recovers more than is owed to us',
    'journal.overdraft',
    [entry('over'), posting('over', id('honest', 'worker_payable'), id('eve', 'chargeback_receivable'), 10)],
  ],
  ['switches the triggers off', denied, ['ALTER TABLE posting DISABLE TRIGGER ALL']],
  ['acts as a replica, which runs no triggers', denied, [`SET session_replication_role = 'replica'`]],
  ['drops the check', denied, ['ALTER TABLE money_account DROP CONSTRAINT no_overdraft']],
  ['becomes the owner', denied, ['SET ROLE assay_owner']],
  ['adds an edge to the table of states', denied, [`INSERT INTO escrow_edge VALUES ('funded', 'released')`]],
  ['adds a flow of money', denied, [`INSERT INTO money_flow VALUES ('escrow', 'escrow', 'mine')`]],
  [
    'replaces the clock',
    denied,
    [
      `CREATE OR REPLACE FUNCTION assay_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT ''2100-01-01''::timestamptz'`,
    ],
  ],
  ['makes a table in our schema', denied, ['CREATE TABLE public.mine (a int)']],
  [
    'shadows the edges with a table of its own',
    'escrow.wrong_state',
    [
      `CREATE TEMP TABLE escrow_edge AS SELECT 'funded'::escrow_state AS from_state, 'released'::escrow_state AS to_state`,
      `UPDATE escrow SET state = 'released' WHERE job_id = '${funded}'`,
    ],
  ],
  [
    'shadows the accounts with a table of its own',
    'journal.overdraft',
    [
      `CREATE TEMP TABLE money_account AS SELECT * FROM public.money_account`,
      entry('shadow'),
      posting('shadow', id(funded), eve, 100_000),
    ],
  ],
  [
    'shadows the escrows with a table of its own',
    'escrow.unbalanced',
    [
      `CREATE TEMP TABLE escrow AS SELECT * FROM public.escrow LIMIT 0`,
      entry('shadow2'),
      posting('shadow2', id(funded), eve, 400),
    ],
  ],
  ['writes to the table of migrations', denied, [`DELETE FROM migration`]],
];

test.each(attacks)('the role of the programs never %s', async (_name, error, statements) => {
  const attempt = at.db.transaction(async (tx: Tx) => {
    for (const sql of statements) await tx.query(sql);
  });
  await expect(attempt).rejects.toMatchObject({ code: error });
});

test('afterwards every account holds what it held before', async () => {
  const held = async (job: string): Promise<unknown> => balanceOf(at.db, escrowOf(job as typeof funded), 'USD');
  expect(await Promise.all([funded, inWindow, due, settled, waiting, 'stray'].map(held))).toEqual(
    [1000, 1000, 1000, 0, 0, 0].map((minor) => usd(minor)),
  );
  expect(await balanceOf(at.db, payableTo('eve'), 'USD')).toEqual(usd(0));
  expect(await balanceOf(at.db, payableTo('honest'), 'USD')).toEqual(usd(920));
});

test('the attacks would work with money in the right places: a lawful entry passes', async () => {
  const postings = [{ debit: escrowOf(due), credit: payableTo('eve'), amount: usd(1000) }];
  await at.db.transaction(async (tx) => {
    await tx.query(`UPDATE escrow SET state = 'released' WHERE job_id = '${due}'`);
    await postEntry(tx, { key: 'lawful-release', kind: 'settlement', cause: {}, postings });
  });
  expect(await balanceOf(at.db, payableTo('eve'), 'USD')).toEqual(usd(1000));
});
