import { createServer, type AddressInfo } from 'node:net';
import { platformMsp } from '@assay/contracts';
import { Refusal, parseId, type Fact, type LedgerIdentity, type Submission } from '@assay/core';
import { openDatabase, type Tx } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchLedger } from './bench-ledger.ts';
import { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { followFacts, followOnce } from './follow-facts.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { verifyLedger } from './verify-ledger.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(1));
const as: LedgerIdentity = { mspId: platformMsp, name: 'platform', roles: ['orchestrator'] };
const worker = (digit: string): string => `wrk_${digit.repeat(32)}`;
const job = parseId('job', `job_${'1'.repeat(32)}`)!;

let database: TestDatabase;
let ledger: EmbeddedLedger;
let serial = 0;
beforeAll(async () => {
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key });
});
afterAll(() => database.drop());

const result = (id: string, idempotencyKey = `key ${(serial += 1)}`): Submission => ({
  contract: 'Reputation',
  fn: 'recordResult',
  args: [id, 'true', JSON.stringify({ job, replicas: 1 })],
  idempotencyKey,
});
const agreed = async (id: string): Promise<number> =>
  (JSON.parse(await ledger.evaluate('Reputation', 'getReputation', [id], as)) as { agreed: number }).agreed;

/** What the program's role is told. */
const denied = (sql: string): Promise<string> =>
  database.db.query(sql).then(
    () => 'allowed',
    (error: unknown) => String(error),
  );

/** A handler that notes each position once under its name. */
function note(name: string) {
  return async (tx: Tx, facts: readonly Fact[]): Promise<void> => {
    for (const fact of facts) await tx.query('INSERT INTO seen VALUES ($1, $2)', [name, fact.position]);
  };
}

async function seen(name: string): Promise<bigint[]> {
  const rows = await database.owner.query<{ position: bigint }>(
    'SELECT position FROM seen WHERE name = $1 ORDER BY position',
    [name],
  );
  return rows.map((row) => row.position);
}

async function all(): Promise<bigint[]> {
  return (await ledger.facts(1n, 100_000)).map((fact) => fact.position);
}

describe('submitting', () => {
  test('inside a transaction of the caller commits or vanishes with it', async () => {
    const submission = result(worker('a'));
    const abandoned = database.db.transaction(async (tx) => {
      expect(await ledger.submitIn(tx, [submission], as)).toMatchObject([{ kind: 'committed' }]);
      throw new Error('the caller failed');
    });
    await expect(abandoned).rejects.toThrow('the caller failed');
    expect(await agreed(worker('a'))).toBe(0);
    const outcomes = await database.db.transaction((tx) => ledger.submitIn(tx, [submission], as));
    expect(outcomes).toMatchObject([{ kind: 'committed' }]);
    expect(await agreed(worker('a'))).toBe(1);
  });

  test('from several servers at once keeps one chain', async () => {
    const databases = [1, 2, 3].map(() =>
      openDatabase({ connectionString: database.connectionString, maxConnections: 2 }),
    );
    const servers = await Promise.all(databases.map((db) => openEmbeddedLedger({ db, key })));
    const shared = result(worker('c'));
    const calls = servers.flatMap((server) =>
      Array.from({ length: 10 }, () => server.submit([result(worker('b')), shared, result(worker('b'))], as)),
    );
    const outcomes = (await Promise.all(calls)).flat();
    expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set(['committed']));
    expect([await agreed(worker('b')), await agreed(worker('c'))]).toEqual([60, 1]);
    await Promise.all(databases.map((db) => db.close()));
    expect(await verifyLedger(database.db, { execute: true })).toMatchObject({ ok: true, problems: [] });
  });

  test('puts strangers into one block and dependents into one after another', async () => {
    const strangers = await ledger.submit(
      ['1', '2', '3', '4'].map((digit) => result(worker(digit))),
      as,
    );
    const blocks = strangers.map((outcome) => (outcome.kind === 'committed' ? outcome.block : -1n));
    expect(new Set(blocks).size).toBe(1);
    const dependents = await ledger.submit(
      [1, 2, 3].map(() => result(worker('5'))),
      as,
    );
    expect(dependents.map((outcome) => outcome.kind === 'committed' && outcome.block)).toEqual([
      blocks[0]! + 1n,
      blocks[0]! + 2n,
      blocks[0]! + 3n,
    ]);
  });

  test('of a call with a bad identity fails that call only', async () => {
    const good = ledger.submit([result(worker('6'))], as);
    const calls = await Promise.allSettled([
      good,
      ledger.submit([result(worker('6'))], { ...as, name: 'a b' }),
      ledger.submit([result(worker('6'))], as),
    ]);
    expect(calls.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await agreed(worker('6'))).toBe(2);
  });

  test('has bounds', async () => {
    const refused = async (changes: Partial<Submission>): Promise<unknown> =>
      (await ledger.submit([{ ...result(worker('7')), ...changes }], as))[0];
    expect(await refused({ idempotencyKey: '' })).toMatchObject({ code: 'request.malformed' });
    expect(await refused({ idempotencyKey: 'k'.repeat(301) })).toMatchObject({ code: 'request.malformed' });
    expect(await refused({ idempotencyKey: 'a\0b' })).toMatchObject({ code: 'request.malformed' });
    expect(await refused({ args: ['\ud800', 'true', '{}'] })).toMatchObject({ code: 'request.malformed' });
    expect(await refused({ args: Array<string>(9).fill('x') })).toMatchObject({ code: 'request.too_large' });
    expect(await refused({ args: ['x'.repeat(128 * 1024 + 1)] })).toMatchObject({ code: 'request.too_large' });
    await expect(
      ledger.submit(
        Array.from({ length: 1001 }, () => result(worker('7'))),
        as,
      ),
    ).rejects.toThrow(Refusal);
  });
});

test('a database that does not answer is a ledger that is away', async () => {
  const { port } = await new Promise<{ port: number }>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address() as AddressInfo;
      server.close(() => resolve(address));
    });
  });
  const db = openDatabase({ connectionString: `postgres://nobody@127.0.0.1:${port}/nothing` });
  await expect(openEmbeddedLedger({ db, key })).rejects.toMatchObject({ code: 'ledger.unavailable', retry: true });
  await db.close();
});

test('the program may add to the ledger, and change only state and head', async () => {
  for (const table of ['block', 'tx', 'history', 'fact', 'leaves', 'node', 'creator']) {
    const [column] = await database.owner.query<{ name: string }>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 LIMIT 1',
      [`ledger_${table}`],
    );
    expect(await denied(`UPDATE ledger_${table} SET ${column?.name} = ${column?.name}`)).toContain('permission denied');
    expect(await denied(`DELETE FROM ledger_${table}`)).toContain('permission denied');
    expect(await denied(`TRUNCATE ledger_${table}`)).toContain('permission denied');
  }
  expect(await denied('DELETE FROM ledger_head')).toContain('permission denied');
  expect(await denied('INSERT INTO ledger_head (one) VALUES (true)')).toContain('permission denied');
});

describe('followers', () => {
  const table =
    'CREATE TABLE IF NOT EXISTS seen (name text, position bigint, PRIMARY KEY (name, position)); GRANT ALL ON seen TO assay_app';
  beforeAll(() => database.owner.query(table));

  test('see every fact once, in order, though several run and some fail', async () => {
    await ledger.submit(
      Array.from({ length: 300 }, (_, index) => result(`wrk_${String(index).padStart(32, '0')}`)),
      as,
    );
    let failures = 2;
    const handle = async (tx: Tx, facts: readonly Fact[]): Promise<void> => {
      await note('a')(tx, facts);
      failures -= 1;
      if (failures >= 0) throw new Error('not now');
    };
    const options = { db: database.db, name: 'a', handle };
    await expect(followOnce(options)).rejects.toThrow('not now');
    await expect(followOnce(options)).rejects.toThrow('not now');
    expect(await seen('a')).toEqual([]);
    const counts = await Promise.all(Array.from({ length: 6 }, () => followOnce(options)));
    expect(counts.some((count) => count === 200)).toBe(true);
    while ((await followOnce(options)) > 0);
    expect(await seen('a')).toEqual(await all());
  });

  test('are woken by new facts and stop when told', async () => {
    const errors: unknown[] = [];
    const follower = await followFacts({
      db: database.db,
      name: 'b',
      handle: note('b'),
      onError: (error) => errors.push(error),
    });
    await follower.catchUp();
    expect(await seen('b')).toEqual(await all());
    await ledger.submit([result(worker('8'))], as);
    const newest = (await all()).at(-1);
    await expect.poll(async () => (await seen('b')).at(-1)).toBe(newest);
    await follower.close();
    await ledger.submit([result(worker('8'))], as);
    expect(await follower.catchUp()).toBe(0);
    expect((await seen('b')).at(-1)).toBe(newest);
    expect(errors).toEqual([]);
  });

  test('tell of failures and try again', async () => {
    let failures = 1;
    const errors: unknown[] = [];
    const handle = async (tx: Tx, facts: readonly Fact[]): Promise<void> => {
      failures -= 1;
      if (failures >= 0) throw new Error('not now');
      await note('c')(tx, facts);
    };
    const follower = await followFacts({ db: database.db, name: 'c', handle, onError: (error) => errors.push(error) });
    await expect.poll(() => seen('c')).toEqual(await all());
    expect(errors.map(String)).toEqual(['Error: not now']);
    await follower.close();
  });
});

test('the benchmark commits what it counts', async () => {
  const measured = await benchLedger({
    ledger,
    submissions: 500,
    batch: 100,
    clients: 2,
    nowMs: () => performance.now(),
  });
  expect(measured.committed).toBe(500);
  expect(measured.blocks).toBeGreaterThan(0);
  expect(measured.perSecond).toBeGreaterThan(0);
});
