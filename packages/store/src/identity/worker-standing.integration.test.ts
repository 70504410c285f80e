import type { AccountId, WorkerId } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { addAccount } from './accounts.ts';
import { addReputation } from './worker-standing.ts';
import { registerWorker } from './workers.ts';

let at: TestDatabase;
const workers = [1, 2, 3].map((number) => `wrk_${String(number).repeat(32)}` as WorkerId);

beforeAll(async () => {
  at = await testDatabase();
  const owner = `acc_${'1'.repeat(32)}` as AccountId;
  await addAccount(at.db, { id: owner, email: 'a@b.example', passwordHash: null, region: 'eu', roles: ['provider'] });
  for (const [index, id] of workers.entries()) {
    const publicKey = String(index).repeat(64);
    await registerWorker(at.db, { id, owner, publicKey, name: `w${index}`, machine: {}, region: 'eu' });
  }
});
afterAll(() => at.drop());

test('counters add up over repeated, parallel and opposite orders of writing', async () => {
  const forth = workers.map((id) => ({ id, agreed: 2, disagreed: 1, lost: 0 }));
  const twice = [...forth, ...forth].toReversed();
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => at.db.transaction((tx) => addReputation(tx, n % 2 === 0 ? forth : twice))),
  );
  await addReputation(at.db, []);
  await addReputation(at.db, [{ id: workers[0]!, agreed: 0, disagreed: 0, lost: 5 }]);
  const rows = await at.db.query('SELECT agreed, disagreed, lost FROM worker ORDER BY id');
  expect(rows).toEqual([5n, 0n, 0n].map((lost) => ({ agreed: 60n, disagreed: 30n, lost })));
});
