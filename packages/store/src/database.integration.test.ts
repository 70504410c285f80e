import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fault, Refusal } from '@assay/core';
import { openDatabase, type Tx } from './database.ts';
import { isUniqueViolation } from './sql-errors.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;

beforeAll(async () => {
  at = await testDatabase();
  await at.owner.query(`CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL)`);
  await at.owner.query(`GRANT ALL ON counter TO assay_app`);
  await at.db.query(`INSERT INTO counter VALUES (1, 0), (2, 0)`);
});

afterAll(() => at.drop());

const count = async (id: number): Promise<bigint | undefined> =>
  (await at.db.query<{ n: bigint }>('SELECT n FROM counter WHERE id = $1', [id]))[0]?.n;

describe('values', () => {
  test('bigint, bigint[], timestamptz and numeric keep their exact value', async () => {
    const [row] = await at.db.query<Record<string, unknown>>(
      `SELECT 9007199254740993::bigint AS big, array[1, 9007199254740993]::bigint[] AS bigs, '{}'::bigint[] AS none,
              '2026-11-21T08:00:00.123Z'::timestamptz AS at, 0.1::numeric AS n`,
    );
    expect(row).toEqual({
      big: 9007199254740993n,
      bigs: [1n, 9007199254740993n],
      none: [],
      at: new Date('2026-11-21T08:00:00.123Z'),
      n: '0.1',
    });
  });

  test('a named statement takes bigint values', async () => {
    const statement = { name: 'test_sum', text: 'SELECT $1::bigint + $2::bigint AS sum' };
    expect(await at.db.query(statement, [1n, 2n])).toEqual([{ sum: 3n }]);
    expect(await at.db.query(statement, [9007199254740993n, 2])).toEqual([{ sum: 9007199254740995n }]);
  });
});

async function sendLast(tx: Tx, n: number | string): Promise<void> {
  await tx.query('SELECT 1');
  tx.query('UPDATE counter SET n = $1 WHERE id = 1', [n]).catch(() => undefined);
}

describe('transactions', () => {
  test('commit when the function returns and roll back when it throws', async () => {
    await at.db.transaction((tx) => tx.query('UPDATE counter SET n = 5 WHERE id = 1'));
    const failing = at.db.transaction(async (tx) => {
      await tx.query('UPDATE counter SET n = 6 WHERE id = 1');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await count(1)).toBe(5n);
  });

  test('a swallowed error of a statement does not pass for a commit', async () => {
    const swallowing = at.db.transaction(async (tx) => {
      await tx.query('UPDATE counter SET n = 7 WHERE id = 1');
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('must not go on');
    expect(await count(1)).toBe(5n);
  });

  test('a statement that travels with the commit counts, and fails it by its own name', async () => {
    await at.db.transaction((tx) => sendLast(tx, 8));
    expect(await count(1)).toBe(8n);
    await expect(at.db.transaction((tx) => sendLast(tx, '9'.repeat(30)))).rejects.toMatchObject({ code: '22003' });
    expect(await count(1)).toBe(8n);
  });

  test('a deadlock runs again until both are through', async () => {
    await at.db.query('UPDATE counter SET n = 0');
    let runs = 0;
    const bump = (first: number, second: number): Promise<void> =>
      at.db.transaction(async (tx) => {
        runs += 1;
        await tx.query('UPDATE counter SET n = n + 1 WHERE id = $1', [first]);
        await tx.query('SELECT pg_sleep(0.05)');
        await tx.query('UPDATE counter SET n = n + 1 WHERE id = $1', [second]);
      });
    await Promise.all([bump(1, 2), bump(2, 1)]);
    expect([await count(1), await count(2)]).toEqual([2n, 2n]);
    expect(runs).toBeGreaterThan(2);
  });

  test('a race that is lost every time is given up', async () => {
    let runs = 0;
    const losing = at.db.transaction(async (tx) => {
      runs += 1;
      await tx.query(`DO $$BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END$$`);
    });
    await expect(losing).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(6);
  });
});

const raise = (options: string): Promise<unknown> =>
  at.db.query(`DO $$BEGIN RAISE EXCEPTION 'no' USING ${options}; END$$`).catch((error: unknown) => error);

describe('errors', () => {
  test.each([
    ['LE001', 'journal.append_only'],
    ['LE005', 'escrow.wrong_state'],
    ['LE007', 'escrow.unbalanced'],
    ['LE008', 'journal.append_only'],
    ['LE009', 'escrow.window_open'],
  ])('%s is the refusal %s', async (state, code) => {
    const error = await raise(`ERRCODE = '${state}'`);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code });
  });

  test('a trigger of another module names its refusal as the hint', async () => {
    expect(await raise(`ERRCODE = 'LE042', HINT = 'job.wrong_state'`)).toMatchObject({ code: 'job.wrong_state' });
    const unknown = await raise(`ERRCODE = 'LE042', HINT = 'no.such_code'`);
    expect(unknown).not.toBeInstanceOf(Refusal);
  });

  test('an unknown CHECK is our bug and no refusal', async () => {
    await at.owner.query('ALTER TABLE counter ADD CONSTRAINT below CHECK (n < 1000)');
    const error = await at.db.query('UPDATE counter SET n = 1000').catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: '23514' });
  });

  test('a double key is told apart', async () => {
    const error = await at.db.query('INSERT INTO counter VALUES (1, 0)').catch((thrown: unknown) => thrown);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'counter_pkey')).toBe(true);
    expect(isUniqueViolation(error, 'other')).toBe(false);
  });

  test('a database that does not answer is a fault that may be retried', async () => {
    const nowhere = openDatabase({ connectionString: 'postgresql://a:b@127.0.0.1:1/x' });
    for (const attempt of [nowhere.query('SELECT 1'), nowhere.transaction((tx) => tx.query('SELECT 1'))]) {
      const error = await attempt.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Fault);
      expect(error).toMatchObject({ code: 'store.unavailable', retry: true });
    }
    await nowhere.close();
  });

  test('a connection cut in mid-transaction is such a fault and the pool recovers', async () => {
    const cut = at.db.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await at.db.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await tx.query('SELECT 1');
    });
    await expect(cut).rejects.toMatchObject({ code: 'store.unavailable', retry: true });
    expect(await at.db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('notifications', () => {
  test('arrive in order, per channel, until closed', async () => {
    const heard: string[] = [];
    const first = await at.db.listen('first', (payload) => heard.push(`1:${payload}`));
    const second = await at.db.listen('second', (payload) => heard.push(`2:${payload}`));
    await at.db.query(`SELECT pg_notify('first', 'a'), pg_notify('second', 'b'), pg_notify('first', 'c')`);
    await expect.poll(() => heard).toEqual(['1:a', '2:b', '1:c']);
    await first.close();
    await at.db.query(`SELECT pg_notify('first', 'd'), pg_notify('second', 'e')`);
    await expect.poll(() => heard).toEqual(['1:a', '2:b', '1:c', '2:e']);
    await second.close();
  });

  test('a cut listener comes back, says so with an empty payload, and hears again', async () => {
    const heard: string[] = [];
    const subscription = await at.db.listen('lines', (payload) => heard.push(payload));
    await at.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'assay listener' AND datname = current_database()`,
    );
    await expect.poll(() => heard).toEqual(['']);
    await at.db.query(`SELECT pg_notify('lines', 'again')`);
    await expect.poll(() => heard).toEqual(['', 'again']);
    await subscription.close();
  });
});

describe('statements sent at once in one transaction', () => {
  test('run in the order in which they were sent, and share its fate', async () => {
    await at.db.query('UPDATE counter SET n = 0');
    const rows = await at.db.transaction((tx) =>
      Promise.all([
        tx.query('UPDATE counter SET n = n + 1 WHERE id = 1 RETURNING n'),
        tx.query({ name: 'test_double', text: 'UPDATE counter SET n = n * 2 + 1 WHERE id = $1 RETURNING n' }, [1]),
        tx.query({ name: 'test_double', text: 'UPDATE counter SET n = n * 2 + 1 WHERE id = $1 RETURNING n' }, [1]),
      ]),
    );
    expect(rows).toEqual([[{ n: 1n }], [{ n: 3n }], [{ n: 7n }]]);
    const failing = at.db.transaction((tx) =>
      Promise.all([tx.query('UPDATE counter SET n = 99 WHERE id = 1'), tx.query('SELECT 1 / 0'), tx.query('SELECT 1')]),
    );
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(await count(1)).toBe(7n);
  });

  test('report the first failure, whichever is looked at first', async () => {
    const failing = at.db.transaction(async (tx) => {
      const first = tx.query('SELECT 1 / 0');
      const second = tx.query('SELECT 1');
      first.catch(() => undefined);
      await second;
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
  });

  test('one that comes after the end never reaches the next transaction of the connection', async () => {
    const leaked = Promise.withResolvers<(sql: string) => Promise<unknown>>();
    const left = at.db.transaction((tx) => {
      leaked.resolve(async (sql) => tx.query(sql));
      return Promise.resolve();
    });
    const late = await leaked.promise;
    await left;
    await expect(late('UPDATE counter SET n = 5')).rejects.toThrow('after the end of its transaction');
    expect(await count(1)).toBe(7n);
  });
});
