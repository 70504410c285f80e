import type { AccountId, WorkerId } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { addAccount } from './accounts.ts';
import { accountBan, ban, liftBan, readBans } from './bans.ts';
import { registerWorker } from './workers.ts';

let at: TestDatabase;
const account = `acc_${'1'.repeat(32)}` as AccountId;
const worker = `wrk_${'2'.repeat(32)}` as WorkerId;

beforeAll(async () => {
  at = await testDatabase();
  await addAccount(at.db, { id: account, email: 'a@b.example', passwordHash: null, region: 'eu', roles: ['customer'] });
  const publicKey = 'a'.repeat(64);
  await registerWorker(at.db, { id: worker, owner: account, publicKey, name: 'w', machine: {}, region: 'eu' });
});
afterAll(() => at.drop());

test('a ban keeps its first reason and time until it is lifted; nobody unknown is banned', async () => {
  for (const subject of [account, worker]) {
    expect(await ban(at.db, subject, 'lied')).toBe('banned');
    const first = await readBans(at.db, null, 10);
    expect(await ban(at.db, subject, 'lied again')).toBe('already');
    expect(await readBans(at.db, null, 10)).toEqual(first);
    expect(first.map((row) => [row.subject, row.reason])).toContainEqual([subject, 'lied']);
  }
  expect(await accountBan(at.db, account)).toBe('lied');
  expect((await readBans(at.db, account, 10)).map(({ subject }) => subject)).toEqual([worker]);
  expect(await liftBan(at.db, account)).toBe(true);
  expect(await liftBan(at.db, account)).toBe(false);
  expect(await accountBan(at.db, account)).toBeUndefined();
  expect(await ban(at.db, `wrk_${'9'.repeat(32)}` as WorkerId, 'x')).toBe('unknown');
});
