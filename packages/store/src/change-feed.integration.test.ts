import { type AccountId, Refusal } from '@assay/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  addChange,
  type Change,
  feedEnd,
  feedStart,
  followChanges,
  parseFeedCursor,
  pruneChanges,
  readChanges,
} from './change-feed.ts';
import { testJob } from './money-examples.setup.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase({ maxConnections: 12 });
});
afterAll(() => at.drop());
beforeEach(() => at.owner.query('DELETE FROM change_feed'));

const change = (n: number, job = 1): Parameters<typeof addChange>[1] => ({
  jobId: testJob(job),
  accountId: `acc_${job}` as AccountId,
  kind: 'test.change',
  data: { n },
});
const numbers = (changes: readonly Change[]): unknown[] => changes.map((one) => one.data['n']);

/** Reads until nothing is held back: another test file's transactions on this server may hold the horizon. */
async function readAll(filter: Parameters<typeof readChanges>[2] = {}): Promise<Change[]> {
  let page = await readChanges(at.db, feedStart, filter);
  await expect.poll(async () => (page = await readChanges(at.db, feedStart, filter)).more).toBe(false);
  return [...page.changes];
}

describe('reading', () => {
  test('goes in order, in pages, and filtered by job or account', async () => {
    for (let n = 0; n < 10; n += 1) await addChange(at.db, change(n, n % 2));
    expect(numbers(await readAll())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(numbers(await readAll({ jobId: testJob(1) }))).toEqual([1, 3, 5, 7, 9]);
    expect(numbers(await readAll({ accountId: 'acc_0' as AccountId }))).toEqual([0, 2, 4, 6, 8]);
    const first = await readChanges(at.db, feedStart, {}, 4);
    const second = await readChanges(at.db, first.cursor, {}, 4);
    const third = await readChanges(at.db, second.cursor, {}, 4);
    expect([first, second, third].map((page) => numbers(page.changes))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect([first.more, second.more, third.more]).toEqual([true, true, false]);
    expect((await readChanges(at.db, await feedEnd(at.db))).changes).toEqual([]);
  });

  test('never passes a transaction that is still running, whichever position it drew first', async () => {
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const slow = at.db.transaction(async (tx) => {
      await addChange(tx, change(1));
      begun.resolve();
      await finish.promise;
    });
    await begun.promise;
    await addChange(at.db, change(2));
    const held = await readChanges(at.db, feedStart);
    expect(held).toMatchObject({ changes: [], cursor: feedStart, more: true });
    finish.resolve();
    await slow;
    expect(numbers(await readAll())).toEqual([1, 2]);
  });

  test('a cursor is what the feed gave out and nothing else', () => {
    expect(parseFeedCursor('12.7')).toBe('12.7');
    for (const text of ['', '12', '-1.2', '1.2.3', `1'.2`, '1.99999999999999999999']) {
      expect(() => parseFeedCursor(text)).toThrow(Refusal);
    }
  });
});

describe('following', () => {
  test('misses nothing and repeats nothing while many write at once and commit out of order', async () => {
    const seen: unknown[] = [];
    const follower = await followChanges(at.db, await feedEnd(at.db), (changes) => {
      // What other tests wrote may still lie behind the end of the feed, while a transaction of theirs is open.
      seen.push(...numbers(changes).filter((n) => Number(n) >= 10_000));
    });
    const writers = Array.from({ length: 200 }, (_, n) =>
      at.db.transaction(async (tx) => {
        await addChange(tx, change(n + 10_000));
        await tx.query('SELECT pg_sleep(random() * 0.02)');
        await addChange(tx, change(n + 11_000));
      }),
    );
    await Promise.all(writers);
    await expect.poll(() => seen.length).toBe(400);
    await follower.close();
    expect(new Set(seen).size).toBe(400);
  });

  test('an undone transaction is never seen, and a cut line is made up for', async () => {
    const seen: unknown[] = [];
    const follower = await followChanges(at.db, await feedEnd(at.db), (changes) => {
      seen.push(...numbers(changes));
    });
    await at.db
      .transaction(async (tx) => {
        await addChange(tx, change(1));
        throw new Error('undone');
      })
      .catch(() => undefined);
    await at.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'assay listener' AND datname = current_database()`,
    );
    await addChange(at.db, change(2));
    await expect.poll(() => seen).toEqual([2]);
    await follower.close();
    await addChange(at.db, change(3));
    expect(seen).toEqual([2]);
  });
});

test('old changes are forgotten', async () => {
  await addChange(at.db, change(1));
  expect(await pruneChanges(at.db, 3_600_000)).toBe(0);
  expect(await pruneChanges(at.db, 0)).toBe(1);
  expect((await readChanges(at.db, feedStart)).changes).toEqual([]);
});
