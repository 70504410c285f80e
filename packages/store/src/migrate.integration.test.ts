import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from './database.ts';
import { type Migration, migrate, readMigrations } from './migrate.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
let superuser: Database;
let name: string;
let target: string;
let db: Database;

const migration = (number: string, sql: string): Migration => ({
  name: `${number}_test.sql`,
  sql,
  sha256: createHash('sha256').update(sql).digest('hex'),
});

beforeAll(async () => {
  at = await testDatabase();
  superuser = openDatabase({ connectionString: at.superuserConnectionString, maxConnections: 1 });
  name = `empty_${randomBytes(6).toString('hex')}`;
  await superuser.query(`CREATE DATABASE ${name} OWNER assay_owner`);
  target = at.ownerConnectionString.replace(/\/test_[0-9a-f]+$/, `/${name}`);
  db = openDatabase({ connectionString: target, maxConnections: 2 });
});
afterAll(async () => {
  await db.close();
  await superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await superuser.close();
  await at.drop();
});

const one = migration('0001', 'CREATE TABLE one (n int); INSERT INTO one VALUES (1)');
const two = migration('0002', 'INSERT INTO one VALUES (2)');

test('the files of this package are read in order with their checksums', async () => {
  const all = await readMigrations();
  expect(all.map((file) => file.name)).toEqual(all.map((file) => file.name).toSorted());
  expect(all.map((file) => file.name)).toContain('0001_money.sql');
  for (const file of all) expect(file.sha256).toBe(createHash('sha256').update(file.sql).digest('hex'));
});

test('each is applied once, also when ten programs start at once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => migrate(target, [one, two])));
  expect(await db.query('SELECT n FROM one ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
});

test('one that fails leaves nothing behind and names itself', async () => {
  const bad = migration('0003', 'INSERT INTO one VALUES (3); SELECT 1 / 0');
  await expect(migrate(target, [one, two, bad])).rejects.toThrow('migration 0003_test.sql: division by zero');
  expect(await db.query('SELECT n FROM one ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
  await migrate(target, [one, two, migration('0003', 'INSERT INTO one VALUES (3)')]);
  expect(await db.query('SELECT count(*)::int AS n FROM one')).toEqual([{ n: 3 }]);
});

test('one that was changed or taken away after it was applied is refused', async () => {
  const three = migration('0003', 'INSERT INTO one VALUES (3)');
  const refusal = { name: 'Refusal', code: 'store.version_mismatch' };
  await expect(migrate(target, [one, migration('0002', '-- changed'), three])).rejects.toMatchObject(refusal);
  await expect(migrate(target, [one, two])).rejects.toMatchObject(refusal);
  await migrate(target, [one, two, three]);
});

test('a database that does not answer is a fault that may be retried', async () => {
  const nowhere = migrate('postgresql://a:b@127.0.0.1:1/x', []);
  await expect(nowhere).rejects.toMatchObject({ name: 'Fault', code: 'store.unavailable', retry: true });
});
