import type { AccountId, SessionId } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { addAccount, replacePasswordHash } from './accounts.ts';
import { addSession, endOtherSessions, findSession } from './sessions.ts';

let at: TestDatabase;
const account = `acc_${'1'.repeat(32)}` as AccountId;
const sessionOf = (digit: string, passwordHash: string | null) => ({
  id: `ses_${digit.repeat(32)}` as SessionId,
  account,
  tokenHash: digit.repeat(64),
  lifeMs: 60_000,
  client: 'curl',
  passwordHash,
});

beforeAll(async () => {
  at = await testDatabase();
  await addAccount(at.db, {
    id: account,
    email: 'a@b.example',
    passwordHash: 'old',
    region: 'eu',
    roles: ['customer'],
  });
});
afterAll(() => at.drop());

test('whoever proved the old password while it is changed is not let in', async () => {
  await addSession(at.db, sessionOf('1', 'old'));
  let late: Promise<Date | undefined> | undefined;
  const ended = await at.db.transaction(async (tx) => {
    expect(await replacePasswordHash(tx, account, 'old', 'new')).toBe(true);
    const count = await endOtherSessions(tx, account, null);
    late = addSession(at.db, sessionOf('2', 'old'));
    // It waits for this transaction; one that did not wait would be over by now.
    await Promise.race([late, at.db.query('SELECT pg_sleep(0.2)')]);
    return count;
  });
  expect(ended).toBe(1);
  expect(await late).toBeUndefined();
  expect(await findSession(at.db, '2'.repeat(64))).toBeUndefined();
  expect(await addSession(at.db, sessionOf('3', 'new'))).toBeInstanceOf(Date);
  expect(await addSession(at.db, sessionOf('4', null))).toBeInstanceOf(Date);
  expect(await replacePasswordHash(at.db, account, 'old', 'newer')).toBe(false);
});
