import { afterAll, beforeAll, expect, test } from 'vitest';
import { addAudit, findAuditBreak, readAudit } from './audit.ts';
import { openDatabase, type Database } from './database.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
let superuser: Database;
const event = (n: number): Parameters<typeof addAudit>[1] => ({
  actor: 'acc_1',
  action: 'dispute.resolve',
  ref: `dsp_${n % 2}`,
  data: { n, text: 'häßlich "x"', nested: { b: 1, a: [1.5, null] } },
});

beforeAll(async () => {
  at = await testDatabase();
  superuser = openDatabase({ connectionString: at.superuserConnectionString, maxConnections: 1 });
});
afterAll(async () => {
  await superuser.close();
  await at.drop();
});

test('lines written at once make one chain without gap or fork', async () => {
  expect(await findAuditBreak(at.db)).toBeUndefined();
  await Promise.all(Array.from({ length: 30 }, (_, n) => at.db.transaction((tx) => addAudit(tx, event(n)))));
  const lines = await readAudit(at.db, 0n, 100);
  expect(lines.map((line) => line.id)).toEqual(Array.from({ length: 30 }, (_, index) => BigInt(index + 1)));
  expect(new Set(lines.map((line) => line.hash)).size).toBe(30);
  expect(await findAuditBreak(at.db)).toBeUndefined();
  expect((await readAudit(at.db, 0n, 100, 'dsp_0')).every((line) => line.ref === 'dsp_0')).toBe(true);
  expect(await readAudit(at.db, 28n, 100)).toHaveLength(2);
});

test('the program may add lines and nothing else, not even their time or hash', async () => {
  for (const sql of [
    `UPDATE audit_log SET actor = 'eve'`,
    'DELETE FROM audit_log',
    'TRUNCATE audit_log',
    `INSERT INTO audit_log (actor, action, ref, data, at) VALUES ('a', 'b', 'c', '{}', '2020-01-01')`,
    `INSERT INTO audit_log (actor, action, ref, data, hash) VALUES ('a', 'b', 'c', '{}', 'x')`,
  ]) {
    await expect(at.db.query(sql)).rejects.toMatchObject({ code: '42501' });
  }
  await expect(at.owner.query('DELETE FROM audit_log')).rejects.toMatchObject({ code: 'journal.append_only' });
});

test.each([
  ['a changed actor', `UPDATE audit_log SET actor = 'eve' WHERE id = 7`, 7n],
  ['a changed detail', `UPDATE audit_log SET data = data || '{"n": 99}' WHERE id = 7`, 7n],
  ['a changed time', `UPDATE audit_log SET at = at + interval '1 microsecond' WHERE id = 7`, 7n],
  ['a missing line', 'DELETE FROM audit_log WHERE id = 7', 8n],
  ['a missing first line', 'DELETE FROM audit_log WHERE id = 1', 2n],
  [
    'a rewritten line with its right hash',
    `UPDATE audit_log a SET actor = 'eve', hash = audit_hash(ROW(a.id, a.at, 'eve', a.action, a.ref, a.data, a.previous_hash, a.hash)::audit_log) WHERE id = 7`,
    8n,
  ],
  ['a log cut short', 'DELETE FROM audit_log WHERE id > 20', 30n],
])('%s shows, even where it was made with every right', async (_name, tamper, where) => {
  const [head] = await readAudit(at.db, 29n, 1);
  const found = superuser.transaction(async (tx) => {
    await tx.query(`SET LOCAL session_replication_role = 'replica'`);
    await tx.query(tamper);
    const broken = await findAuditBreak(tx, { id: head!.id, hash: head!.hash });
    throw Object.assign(new Error('undo'), { broken });
  });
  await expect(found).rejects.toMatchObject({ message: 'undo', broken: where });
  expect(await findAuditBreak(at.db, { id: head!.id, hash: head!.hash })).toBeUndefined();
});
