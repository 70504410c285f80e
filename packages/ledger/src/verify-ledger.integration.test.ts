import { platformMsp } from '@assay/contracts';
import { Refusal, type LedgerIdentity, type SignedHead, type Submission } from '@assay/core';
import type { Tx } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asHash, nonceOf, signHead, txIdOf } from './block.ts';
import { commitEndorsed } from './commit-endorsed.setup.ts';
import { lockChain, type Engine } from './commit.ts';
import { embeddedEngine, openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { details, hash } from './fabric/listing.setup.ts';
import { timestampOf } from './fabric-runtime.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { stateReader } from './ledger-rows.ts';
import type { Endorsed } from './make-block.ts';
import { signProposal } from './proposal.ts';
import { verifyLedger, verifyLedgerIn, type VerifyOptions } from './verify-ledger.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(1));
const as: LedgerIdentity = { mspId: platformMsp, name: 'platform', roles: ['orchestrator', 'arbiter'] };
const job = (digit: string): string => `job_${digit.repeat(32)}`;
const worker = (digit: string): string => `wrk_${digit.repeat(32)}`;

let database: TestDatabase;
let ledger: EmbeddedLedger;
let serial = 0;
const call = (contract: Submission['contract'], fn: string, ...args: string[]): Submission => ({
  contract,
  fn,
  args,
  idempotencyKey: `key ${(serial += 1)}`,
});
const result = (id: string): Submission =>
  call('Reputation', 'recordResult', id, 'true', JSON.stringify({ job: job('1'), replicas: 1 }));

const listing = (id: string): Submission => call('Marketplace', 'listContract', id, details);

/** Executes now; what is committed meanwhile makes it stale. */
async function endorsedNow(engine: Engine, tx: Tx, submission: Submission): Promise<Endorsed> {
  const reader = stateReader(tx);
  const member = engine.key.member(as);
  const nonce = nonceOf(submission, 0);
  const txId = txIdOf(nonce, member);
  const { contract, fn, args } = submission;
  const { mspId, certificate } = member;
  const proposal = { contract, fn, args, txId, channel: engine.channel, mspId, certificate, timestamp: timestampOf(5) };
  const outcome = await engine.endorse(proposal, async (name) => (await reader.getMany([name])).get(name), reader);
  if (outcome.kind === 'refused') throw new Error(outcome.message);
  const { signature } = signProposal(engine.channel, submission, member, nonce);
  return { submission, member, nonce, txId, signature, atMs: 5, result: outcome.result, set: outcome.set };
}

beforeAll(async () => {
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key });
  for (const digit of ['1', '2', '3']) {
    const id = job(digit);
    await ledger.submit(
      [
        listing(id),
        call('Contract', 'activateContract', id),
        call('Marketplace', 'claimContract', worker(digit), id),
        call('Contract', 'submitWork', id, hash('1'), hash('2')),
        call('Contract', 'verifyWork', id),
        call('EscrowTrigger', 'startChallengeTimer', id, '0', '1'),
        result(worker('1')),
        result(worker('2')),
      ],
      as,
    );
  }
  const batch = Array.from({ length: 20 }, (_, index) => `fact ${index}`);
  await ledger.submit(
    [
      { ...result(worker('a')), leaves: batch },
      { ...result(worker('b')), leaves: ['f'] },
    ],
    as,
  );
  await ledger.submit([{ ...result(worker('c')), leaves: ['one', 'two'] }], as);
  await ledger.submit([call('Contract', 'disputeContract', job('2'), hash('3'))], { ...as, name: 'other' });
  await ledger.submit([call('Contract', 'resolveDispute', job('2'), 'REFUNDED', hash('3'))], as);
});
afterAll(() => database.drop());

describe('stale executions', () => {
  test('stay in their block as conflicts, without effect, and their keys may try again', async () => {
    const engine = embeddedEngine({ key });
    const submissions = [result(worker('7')), result(worker('7')), result(worker('7')), result(worker('8'))];
    const codes = await database.db.transaction(async (tx) => {
      const endorsed: Endorsed[] = [];
      for (const one of submissions) endorsed.push(await endorsedNow(engine, tx, one));
      return (await commitEndorsed(engine, tx, await lockChain(engine, tx), endorsed)).codes;
    });
    expect(codes).toEqual([0, 11, 11, 0]);
    const agreed = async (id: string): Promise<unknown> =>
      (JSON.parse(await ledger.evaluate('Reputation', 'getReputation', [id], as)) as { agreed: number }).agreed;
    expect([await agreed(worker('7')), await agreed(worker('8'))]).toEqual([1, 1]);
    const again = await ledger.submit(submissions, as);
    expect(again.map((outcome) => outcome.kind)).toEqual(Array(4).fill('committed'));
    expect([await agreed(worker('7')), await agreed(worker('8'))]).toEqual([3, 1]);
  });

  test('cannot commit a transaction id twice', async () => {
    const engine = embeddedEngine({ key });
    const attempt = database.db.transaction(async (tx) => {
      const one = await endorsedNow(engine, tx, result(worker('9')));
      const { after } = await commitEndorsed(engine, tx, await lockChain(engine, tx), [one]);
      await commitEndorsed(engine, tx, after, [one]);
    });
    await expect(attempt).rejects.toThrow('ledger_tx_tx_id_key');
  });
});

describe('a sound ledger', () => {
  test('verifies, with its contracts run again', async () => {
    const report = await verifyLedger(database.db, {
      execute: true,
      publicKey: key.publicKey,
      keptHeads: [await ledger.head()],
    });
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ ok: true });
    expect(report.transactions).toBeGreaterThan(30);
    expect(report.facts).toBeGreaterThan(25);
  });

  test('is signed by the expected key', async () => {
    const report = await verifyLedger(database.db, { publicKey: hash('0') });
    expect(report.problems).toEqual([
      { table: 'ledger_block', block: 0, what: 'the chain is signed with another key' },
    ]);
  });

  test('opens with its own key only', async () => {
    const other = ledgerKeyFromSeed(new Uint8Array(32).fill(2));
    await expect(openEmbeddedLedger({ db: database.db, key: other })).rejects.toThrow(Refusal);
  });
});

/** Runs `edit` as the owner of the tables and verifies what it left, then undoes it. */
async function reportAfter(edit: (tx: Tx) => Promise<unknown>, options: VerifyOptions = {}) {
  const undo = new Error('undo');
  let report: Awaited<ReturnType<typeof verifyLedgerIn>> | undefined;
  await database.owner
    .transaction(async (tx) => {
      await edit(tx);
      report = await verifyLedgerIn(tx, options);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  if (report === undefined) throw new Error('nothing was verified');
  return report;
}

interface Column {
  readonly table_name: string;
  readonly column_name: string;
  readonly data_type: string;
}

/** Sets one column of one row to something one character away. */
async function editOneCharacter(tx: Tx, column: Column, at: number): Promise<void> {
  const { table_name: table, column_name: name, data_type: type } = column;
  const [place] = await tx.query<{ ctid: string }>(
    `SELECT ctid::text FROM ${table} WHERE ${name} IS NOT NULL ORDER BY ctid OFFSET
       ($1::bigint % (SELECT count(*) FROM ${table} WHERE ${name} IS NOT NULL)) LIMIT 1`,
    [at],
  );
  const changed = {
    text: `overlay(${name} PLACING CASE substr(${name}, p, 1) WHEN 'f' THEN 'e' ELSE 'f' END FROM p FOR 1)`,
    bytea: `set_byte(${name}, p - 1, get_byte(${name}, p - 1) # 1)`,
    bigint: `${name} + 1000`,
    integer: `${name} + 100`,
    smallint: `${name} + 100`,
  }[type];
  const size = type === 'text' ? `length(${name})` : type === 'bytea' ? `octet_length(${name})` : '1';
  await tx.query(
    `UPDATE ${table} SET ${name} = (SELECT ${changed} FROM (SELECT 1 + $2::integer % ${size}) AS place (p)) WHERE ctid = $1::tid`,
    [place?.ctid, at * 7],
  );
}

describe('an edited ledger', () => {
  test('is found out, column by column, at many places', async () => {
    const columns = await database.owner.query<Column>(
      `SELECT table_name, column_name, data_type FROM information_schema.columns
       WHERE table_name LIKE 'ledger\\_%' AND NOT (table_name = 'ledger_head' AND column_name = 'one')
       ORDER BY table_name, ordinal_position`,
    );
    expect(new Set(columns.map((column) => column.table_name)).size).toBe(9);
    for (const column of columns) {
      for (const at of [0, 3, 11]) {
        const report = await reportAfter((tx) => editOneCharacter(tx, column, at));
        const tables = report.problems.map((problem) => problem.table);
        expect([column.table_name, column.column_name, at, report.ok, tables.includes(column.table_name)]).toEqual([
          column.table_name,
          column.column_name,
          at,
          false,
          true,
        ]);
      }
    }
  }, 120_000);

  test('names the block', async () => {
    const report = await reportAfter((tx) =>
      tx.query(`UPDATE ledger_tx SET transaction = replace(transaction, 'eu', 'us') WHERE block = 1`),
    );
    expect(report.problems[0]).toMatchObject({ table: 'ledger_tx', block: 1 });
    const fact = await reportAfter((tx) => tx.query(`UPDATE ledger_fact SET name = 'x' WHERE block = 4`));
    expect(fact.problems).toMatchObject([{ table: 'ledger_fact', block: 4 }]);
  });

  test.each([
    'ledger_block',
    'ledger_tx',
    'ledger_state',
    'ledger_history',
    'ledger_fact',
    'ledger_leaves',
    'ledger_node',
    'ledger_creator',
    'ledger_head',
  ])('misses a row of %s', async (table) => {
    const where = `ctid = (SELECT max(ctid) FROM ${table})`;
    const report = await reportAfter((tx) => tx.query(`DELETE FROM ${table} WHERE ${where}`));
    expect(report.problems.map((problem) => problem.table)).toContain(table);
  });

  test.each([
    [`INSERT INTO ledger_state VALUES ('a', 'b', 1, 0)`, 'ledger_state'],
    [`INSERT INTO ledger_history VALUES ('a', 1, 0)`, 'ledger_history'],
    [`INSERT INTO ledger_leaves VALUES (1, 0, '["x"]')`, 'ledger_leaves'],
    [`INSERT INTO ledger_node VALUES (9, 9, 'x')`, 'ledger_node'],
    [`INSERT INTO ledger_creator VALUES (encode(sha256('x'), 'hex'), 'M', 'x')`, 'ledger_creator'],
    [
      `INSERT INTO ledger_fact SELECT 9999, block, tx_index, tx_id, contract, name, payload, job, at_ms FROM ledger_fact LIMIT 1`,
      'ledger_fact',
    ],
    [`INSERT INTO ledger_tx VALUES (9999, 0, 'x', 'x', 0, '{}')`, 'ledger_tx'],
    [
      `INSERT INTO ledger_block SELECT 9999, header, 'x', chain_root, signature FROM ledger_block LIMIT 1`,
      'ledger_block',
    ],
    [`UPDATE ledger_fact SET job = 'null' WHERE job IS NULL`, 'ledger_fact'],
  ])('has a row too many or a null too few: %s', async (sql, table) => {
    await ledger.submit([call('Reputation', 'slashReputation', worker('1'), 'late')], as);
    const report = await reportAfter((tx) => tx.query(sql));
    expect(report.problems.map((problem) => problem.table)).toContain(table);
  });

  test('gives another outcome when its contracts run again, even if every hash was made new', async () => {
    // Whoever holds the key can make a block of anything; only execution tells that no contract did this.
    const engine = embeddedEngine({ key });
    const report = await reportAfter(
      async (tx) => {
        const one = await endorsedNow(engine, tx, result(worker('5')));
        const forged = {
          ...one,
          set: { ...one.set, writes: one.set.writes.map(([name]) => [name, '{"agreed":99}'] as const) },
        };
        await commitEndorsed(engine, tx, await lockChain(engine, tx), [forged]);
        expect((await verifyLedgerIn(tx)).ok).toBe(true);
      },
      { execute: true },
    );
    expect(report.problems).toMatchObject([{ table: 'ledger_tx', what: expect.stringContaining('runs again') }]);
  });
});

describe('a head that somebody kept', () => {
  test('stays consistent as the chain grows, and no other head is', async () => {
    const kept = await ledger.head();
    await ledger.submit([result(worker('1')), result(worker('2'))], as);
    expect(await ledger.isConsistent(kept)).toBe(true);
    const { signature: _, publicKey: __, ...bare } = kept;
    const forge = (changes: Partial<SignedHead>): SignedHead => signHead(key, { ...bare, ...changes });
    expect(await ledger.isConsistent(forge({}))).toBe(true);
    expect(await ledger.isConsistent({ ...kept, atMs: kept.atMs + 1 })).toBe(false);
    expect(await ledger.isConsistent({ ...kept, signature: 'x' })).toBe(false);
    expect(await ledger.isConsistent(forge({ atMs: kept.atMs + 1 }))).toBe(false);
    expect(await ledger.isConsistent(forge({ blockHash: asHash(hash('1')) }))).toBe(false);
    expect(await ledger.isConsistent(forge({ chainRoot: asHash(hash('1')) }))).toBe(false);
    expect(await ledger.isConsistent(forge({ block: kept.block + 1000n }))).toBe(false);
    const other = ledgerKeyFromSeed(new Uint8Array(32).fill(2));
    expect(await ledger.isConsistent(signHead(other, bare))).toBe(false);
  });

  test('tells when the newest blocks were cut off, which nothing else can', async () => {
    const [before] = await database.owner.query<{
      next_block: bigint;
      next_fact: bigint;
      at_ms: bigint;
      hash: string;
      peaks: string;
    }>('SELECT next_block, next_fact, at_ms, hash, peaks FROM ledger_head');
    const nodes = await database.owner.query<{ level: number; position: bigint }>(
      'SELECT level, position FROM ledger_node',
    );
    await ledger.submit([result(worker('4'))], as);
    const kept = await ledger.head();
    const cut = async (tx: Tx): Promise<void> => {
      for (const table of ['ledger_tx', 'ledger_state', 'ledger_history', 'ledger_fact', 'ledger_leaves']) {
        await tx.query(`DELETE FROM ${table} WHERE block >= $1`, [before?.next_block]);
      }
      await tx.query('DELETE FROM ledger_block WHERE number >= $1', [before?.next_block]);
      await tx.query(
        'DELETE FROM ledger_node WHERE (level, position) NOT IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))',
        [nodes.map((node) => node.level), nodes.map((node) => node.position)],
      );
      await tx.query('UPDATE ledger_head SET next_block = $1, next_fact = $2, at_ms = $3, hash = $4, peaks = $5', [
        before?.next_block,
        before?.next_fact,
        before?.at_ms,
        before?.hash,
        before?.peaks,
      ]);
    };
    expect((await reportAfter(cut)).problems).toEqual([]);
    expect((await reportAfter(cut, { keptHeads: [kept] })).problems).toEqual([
      { table: 'ledger_block', block: Number(kept.block), what: 'the chain does not hold a kept head' },
    ]);
  });
});
