/** How many keys and devices an account may have, also where several ask at once. */

import { limits, type AccountId, type ApiKeyId, type Refusal, type WorkerId } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { addAccount, lockAccount } from './accounts.ts';
import { addApiKey, listApiKeys, removeApiKey } from './api-keys.ts';
import { registerWorker, removeWorker } from './workers.ts';

let at: TestDatabase;
const [owner, other] = ['1', '2'].map((digit) => `acc_${digit.repeat(32)}` as AccountId) as [AccountId, AccountId];
const hex = (number: number, length: number): string => number.toString(16).padStart(length, '0');
const workerOf = (number: number): WorkerId => `wrk_${hex(number, 32)}` as WorkerId;

beforeAll(async () => {
  at = await testDatabase();
  for (const id of [owner, other]) {
    await addAccount(at.db, { id, email: `${id}@b.example`, passwordHash: null, region: 'eu', roles: ['provider'] });
  }
});
afterAll(() => at.drop());

const nextTurn = () => new Promise<false>((resolve) => void setImmediate(() => resolve(false)));

async function somebodyWaits(): Promise<boolean> {
  const rows = await at.db.query(
    `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`,
  );
  return rows.length > 0;
}

const codeOf = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'in',
    (error: Refusal) => error.code,
  );

const addKey = (number: number, account = owner): Promise<string> => {
  const id = `key_${hex(number, 32)}` as ApiKeyId;
  return codeOf(addApiKey(at.db, { id, account, name: 'k', keyHash: hex(number, 64), scopes: ['account'] }));
};

const addWorker = (number: number, account = owner): Promise<string> => {
  const worker = { id: workerOf(number), owner: account, publicKey: hex(number, 64), name: 'w', machine: {} };
  return codeOf(registerWorker(at.db, { ...worker, region: 'eu' }));
};

test('of two API keys for the last place one gets in, and a revoked one makes room', async () => {
  for (let number = 1; number < limits.apiKeysPerAccount; number += 1) expect(await addKey(number)).toBe('in');
  const racers = await Promise.all([1001, 1002, 1003, 1004].map((number) => addKey(number)));
  expect(racers.toSorted()).toEqual(['api_key.too_many', 'api_key.too_many', 'api_key.too_many', 'in']);
  expect(await listApiKeys(at.db, owner)).toHaveLength(limits.apiKeysPerAccount);
  expect(await addKey(2001, other)).toBe('in');
  await removeApiKey(at.db, owner, `key_${hex(1, 32)}` as ApiKeyId);
  expect(await addKey(1005)).toBe('in');
  expect(await addKey(1006)).toBe('api_key.too_many');
});

test('a key that is being added counts before it is there', async () => {
  await removeApiKey(at.db, owner, `key_${hex(2, 32)}` as ApiKeyId);
  let second: Promise<string> | undefined;
  await at.db.transaction(async (tx) => {
    await lockAccount(tx, owner);
    await tx.query(
      `INSERT INTO api_key (id, account_id, name, key_hash, scopes) VALUES ($1, $2, 'k', $3, '{account}')`,
      [`key_${hex(3001, 32)}`, owner, hex(3001, 64)],
    );
    second = addKey(3002);
    for (let over = false; !over && !(await somebodyWaits());)
      over = await Promise.race([second.then(() => true), nextTurn()]);
  });
  expect(await second).toBe('api_key.too_many');
});

test('of two devices for the last place one gets in; known ones go on, and a removed one makes room', async () => {
  for (let number = 1; number < limits.workersPerAccount; number += 1) expect(await addWorker(number)).toBe('in');
  const racers = await Promise.all([1001, 1002, 1003, 1004].map((number) => addWorker(number)));
  expect(racers.toSorted()).toEqual(['in', 'worker.too_many', 'worker.too_many', 'worker.too_many']);
  expect(await addWorker(1)).toBe('in');
  expect(await addWorker(2001, other)).toBe('in');
  expect(await codeOf(removeWorker(at.db, other, workerOf(1)))).toBe('worker.not_found');
  await removeWorker(at.db, owner, workerOf(1));
  expect(await codeOf(removeWorker(at.db, owner, workerOf(1)))).toBe('worker.not_found');
  expect(await addWorker(1)).toBe('worker.removed');
  expect(await addWorker(1, other)).toBe('worker.exists');
  expect(await addWorker(1005)).toBe('in');
});

test('a removed device keeps its place while it holds replicas', async () => {
  await at.db.query(`INSERT INTO desk (worker_id, held, held_units, seen_at) VALUES ($1, '{r}', '{u}', assay_now())`, [
    workerOf(2),
  ]);
  await removeWorker(at.db, owner, workerOf(2));
  expect(await addWorker(1006)).toBe('worker.too_many');
  await at.db.query(`UPDATE desk SET held = '{}', held_units = '{}' WHERE worker_id = $1`, [workerOf(2)]);
  expect(await addWorker(1006)).toBe('in');
});
