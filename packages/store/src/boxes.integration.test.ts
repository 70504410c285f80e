import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '@assay/core';
import { readAudit } from './audit.ts';
import { claimInbox, finishInbox, receiveInbox } from './inbox.ts';
import {
  addAllToOutbox,
  addToOutbox,
  claimOutbox,
  finishOutbox,
  outboxDepth,
  readHeldOutbox,
  resumeOutbox,
  type NewMessage,
} from './outbox.ts';
import { checkpoint, moveCheckpoint } from './checkpoint.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
let number = 0;

beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());
beforeEach(async () => {
  await at.owner.query('DELETE FROM outbox');
  await at.owner.query('DELETE FROM inbox');
});

function message(kind: NewMessage['kind'], ref: string): NewMessage {
  number += 1;
  return { kind, op: 'do', ref, key: `message-${number}`, request: { number } };
}

/** Makes what waits ready now, as if time had passed. */
const passTime = (): Promise<unknown> =>
  at.owner.query(
    `UPDATE outbox SET next_at = assay_now() - interval '1 second', lease_until = lease_until - interval '1 day'`,
  );

describe('the outbox', () => {
  test('takes a key once and hands out the oldest first', async () => {
    const [first, second] = [message('payment', 'a'), message('payment', 'a')];
    expect(await addToOutbox(at.db, first)).toBe(true);
    expect(await addToOutbox(at.db, { ...first, request: { other: true } })).toBe(false);
    expect(await addAllToOutbox(at.db, [second, first])).toBe(1);
    const claimed = await claimOutbox(at.db, ['payment']);
    expect(claimed).toMatchObject([
      { ...first, attempts: 1, inDoubt: false },
      { ...second, attempts: 1, inDoubt: false },
    ]);
    expect(claimed[0]?.ageMs).toBeLessThan(5000);
    expect(await claimOutbox(at.db, ['payment'])).toEqual([]);
  });

  test('hands out only the asked kinds', async () => {
    await addAllToOutbox(at.db, [message('payment', 'a'), message('mail', 'b')]);
    expect(await claimOutbox(at.db, ['payout', 'refund'])).toEqual([]);
    expect(await claimOutbox(at.db, ['mail'])).toHaveLength(1);
  });

  test('never hands one message to two at once', async () => {
    await addAllToOutbox(
      at.db,
      Array.from({ length: 60 }, (_, index) => message('payout', `r${index}`)),
    );
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimOutbox(at.db, ['payout'], 20)));
    const ids = claims.flat().map((claimed) => claimed.id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claimOutbox(at.db, ['payout'], 100);
    expect(ids.length + rest.length).toBe(60);
  });

  test('sends the ledger messages of one ref in order, one at a time, and other refs meanwhile', async () => {
    const [a1, a2, b1] = [message('ledger', 'a'), message('ledger', 'a'), message('ledger', 'b')];
    await addAllToOutbox(at.db, [a1, a2, b1]);
    const [one, other, ...none] = await claimOutbox(at.db, ['ledger']);
    expect([one?.key, other?.key, none]).toEqual([a1.key, b1.key, []]);
    await finishOutbox(at.db, one!, { kind: 'retry', error: 'busy', afterMs: 3_600_000 });
    expect(await claimOutbox(at.db, ['ledger'])).toEqual([]);
    await passTime();
    const [again] = await claimOutbox(at.db, ['ledger'], 1);
    expect(again).toMatchObject({ key: a1.key, attempts: 2 });
    await finishOutbox(at.db, again!, { kind: 'done' });
    expect((await claimOutbox(at.db, ['ledger'])).map((claimed) => claimed.key)).toContain(a2.key);
  });

  test('two of one ref, claimed by many at once, never overlap', async () => {
    await addAllToOutbox(
      at.db,
      Array.from({ length: 30 }, () => message('ledger', 'same')),
    );
    const order: bigint[] = [];
    while (order.length < 30) {
      const claims = (await Promise.all([1, 2, 3, 4].map(() => claimOutbox(at.db, ['ledger'])))).flat();
      expect(claims).toHaveLength(1);
      order.push(claims[0]!.id);
      await finishOutbox(at.db, claims[0]!, { kind: 'done' });
    }
    expect(order).toEqual(order.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test.each([
    ['done', { kind: 'done', providerId: 'pi_1' }, false],
    ['failed', { kind: 'failed', error: 'no' }, false],
    ['human', { kind: 'human', error: 'hm' }, true],
    ['ready', { kind: 'retry', error: 'later' }, true],
    ['unknown', { kind: 'unknown', error: 'timeout' }, true],
  ] as const)(
    'an outcome that leaves it %s is stored, and holds back its ref or does not',
    async (state, outcome, holds) => {
      await addAllToOutbox(at.db, [message('ledger', 'x'), message('ledger', 'x')]);
      const [claimed] = await claimOutbox(at.db, ['ledger']);
      expect(await finishOutbox(at.db, claimed!, outcome)).toBe(true);
      const [row] = await at.db.query<Record<string, unknown>>(
        `SELECT state, provider_id AS "providerId", last_error AS error, in_doubt AS doubt, finished_at IS NOT NULL AS over
       FROM outbox WHERE id = $1`,
        [claimed!.id],
      );
      expect(row).toEqual({
        state,
        providerId: state === 'done' ? 'pi_1' : null,
        error: outcome.kind === 'done' ? null : outcome.error,
        doubt: state === 'unknown',
        over: state === 'done' || state === 'failed',
      });
      expect(await claimOutbox(at.db, ['ledger'])).toHaveLength(holds ? 0 : 1);
    },
  );

  test('a lease that ran out is taken over in doubt, and its first holder no longer counts', async () => {
    await addToOutbox(at.db, message('payment', 'a'));
    const [first] = await claimOutbox(at.db, ['payment'], 1, 0);
    const [second] = await claimOutbox(at.db, ['payment']);
    expect(second).toMatchObject({ id: first!.id, key: first!.key, attempts: 2, inDoubt: true });
    expect(await finishOutbox(at.db, first!, { kind: 'failed', error: 'late' })).toBe(false);
    expect(await finishOutbox(at.db, second!, { kind: 'done' })).toBe(true);
    expect(await finishOutbox(at.db, second!, { kind: 'failed', error: 'twice' })).toBe(false);
  });

  test('doubt stays through a no that may pass', async () => {
    await addToOutbox(at.db, message('payment', 'a'));
    const [first] = await claimOutbox(at.db, ['payment']);
    await finishOutbox(at.db, first!, { kind: 'unknown', error: 'cut' });
    await passTime();
    const [second] = await claimOutbox(at.db, ['payment']);
    await finishOutbox(at.db, second!, { kind: 'retry', error: '429' });
    await passTime();
    expect(await claimOutbox(at.db, ['payment'])).toMatchObject([{ inDoubt: true, attempts: 3 }]);
  });

  test('waits longer each time, and for a human in the end', async () => {
    await addToOutbox(at.db, message('payment', 'a'));
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= limits.outboxAttempts; attempt += 1) {
      const [claimed] = await claimOutbox(at.db, ['payment']);
      await finishOutbox(at.db, claimed!, { kind: 'unknown', error: 'timeout' });
      const [row] = await at.db.query<{ pause: number }>(
        'SELECT extract(epoch FROM next_at - assay_now())::float8 * 1000 AS pause FROM outbox',
      );
      pauses.push(row!.pause);
      await passTime();
    }
    expect(pauses[0]).toBeLessThanOrEqual(limits.outboxRetryMs);
    for (let index = 1; index < 10; index += 1) expect(pauses[index]).toBeGreaterThan(pauses[index - 1]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(limits.outboxRetryMaxMs);
    expect(await outboxDepth(at.db)).toMatchObject([{ kind: 'payment', state: 'human', count: 1 }]);
    expect(await claimOutbox(at.db, ['payment'])).toEqual([]);
    const [{ id } = { id: 0n }] = await at.db.query<{ id: bigint }>('SELECT id FROM outbox');
    expect(await resumeOutbox(at.db, id)).toBe(true);
    expect(await resumeOutbox(at.db, id)).toBe(false);
    const [again] = await claimOutbox(at.db, ['payment']);
    expect(again).toMatchObject({ id, inDoubt: true, attempts: 1 });
    expect(again!.ageMs).toBeGreaterThan(0);
    await finishOutbox(at.db, again!, { kind: 'human', error: 'nobody knows' });
    expect(await readHeldOutbox(at.db, 0n, 10)).toMatchObject([{ id, inDoubt: true, error: 'nobody knows' }]);
    expect(await readHeldOutbox(at.db, id, 10)).toEqual([]);
    await at.owner.query(`UPDATE outbox SET first_sent_at = first_sent_at - interval '1 day'`);
    expect(await resumeOutbox(at.db, id, true)).toBe(true);
    const [anew] = await claimOutbox(at.db, ['payment']);
    expect(anew).toMatchObject({ id, inDoubt: true, attempts: 1 });
    expect(anew!.ageMs).toBeLessThan(60_000);
  });

  test('writes into the audit log what waits for a human, once, and nothing else', async () => {
    const given = message('payout', 'tr_1');
    await addToOutbox(at.db, given);
    const [first] = await claimOutbox(at.db, ['payout'], 1, 0);
    const ref = String(first!.id);
    const [second] = await claimOutbox(at.db, ['payout']);
    const error = 'nobody knows';
    expect(await finishOutbox(at.db, first!, { kind: 'human', error })).toBe(false);
    await finishOutbox(at.db, second!, { kind: 'unknown', error: 'timeout' });
    expect(await readAudit(at.db, 0n, 10, ref)).toEqual([]);
    await passTime();
    const [third] = await claimOutbox(at.db, ['payout']);
    await finishOutbox(at.db, third!, { kind: 'human', error });
    const held = { actor: 'system', action: 'outbox.held', ref };
    const data = { kind: 'payout', op: 'do', ref: 'tr_1' };
    expect(await readAudit(at.db, 0n, 10, ref)).toMatchObject([{ ...held, data: { ...data, error, attempts: 3 } }]);
    await resumeOutbox(at.db, first!.id);
    const [last] = await claimOutbox(at.db, ['payout']);
    await finishOutbox(at.db, { ...last!, attempts: limits.outboxAttempts }, { kind: 'retry', error: 'busy' });
    const lines = await readAudit(at.db, 0n, 10, ref);
    expect(lines).toMatchObject([held, { ...held, data: { ...data, error: 'busy', attempts: limits.outboxAttempts } }]);
    expect(lines).toHaveLength(2);
  });

  test('lets the program change no content and delete nothing', async () => {
    await addToOutbox(at.db, message('payment', 'a'));
    for (const sql of [
      `UPDATE outbox SET request = '{}'`,
      `UPDATE outbox SET idem_key = 'another-key'`,
      `UPDATE outbox SET ref = 'b'`,
      'DELETE FROM outbox',
    ]) {
      await expect(at.db.query(sql)).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('wakes its listeners at commit', async () => {
    let woken = 0;
    const subscription = await at.db.listen('outbox', () => {
      woken += 1;
    });
    await at.db
      .transaction(async (tx) => {
        await addToOutbox(tx, message('payment', 'a'));
        throw new Error('undone');
      })
      .catch(() => undefined);
    await at.db.transaction((tx) => addToOutbox(tx, message('payment', 'a')));
    await expect.poll(() => woken).toBe(1);
    await subscription.close();
  });
});

const event = (eventKey: string, source = 'stripe:eu'): Parameters<typeof receiveInbox>[1] => ({
  source,
  eventKey,
  raw: new Uint8Array([0, 255, 10, 13]),
  headers: { 'stripe-signature': 't=1' },
  notice: { object: 'pi_1' },
});

describe('the inbox', () => {
  test('stores an event once, byte for byte, also when it comes twenty times at once', async () => {
    const received = await Promise.all(Array.from({ length: 20 }, () => receiveInbox(at.db, event('evt_1'))));
    expect(received.filter(Boolean)).toHaveLength(1);
    expect(await receiveInbox(at.db, event('evt_1', 'stripe:us'))).toBe(true);
    const [claimed] = await claimInbox(at.db);
    expect(claimed).toMatchObject({ source: 'stripe:eu', eventKey: 'evt_1', attempts: 1, notice: { object: 'pi_1' } });
    expect(claimed?.headers).toEqual({ 'stripe-signature': 't=1' });
    expect([...claimed!.raw]).toEqual([0, 255, 10, 13]);
  });

  test('parks what cannot be understood yet, and keeps what is done', async () => {
    await receiveInbox(at.db, event('evt_2'));
    const [first] = await claimInbox(at.db);
    expect(await claimInbox(at.db)).toEqual([]);
    expect(await finishInbox(at.db, first!, { kind: 'parked', afterMs: 0 })).toBe(true);
    const [second] = await claimInbox(at.db, 10, 0);
    expect(second).toMatchObject({ eventKey: 'evt_2', attempts: 2 });
    const [third] = await claimInbox(at.db);
    expect(await finishInbox(at.db, second!, { kind: 'done' })).toBe(false);
    expect(await finishInbox(at.db, third!, { kind: 'ignored' })).toBe(true);
    expect(await claimInbox(at.db)).toEqual([]);
    expect(await receiveInbox(at.db, event('evt_2'))).toBe(false);
  });
});

describe('a checkpoint', () => {
  test('starts at zero, moves forward only, and followers of one name take turns', async () => {
    const read = await Promise.all(
      Array.from({ length: 10 }, () =>
        at.db.transaction(async (tx) => {
          const position = await checkpoint(tx, 'follower');
          await moveCheckpoint(tx, 'follower', position + 1n);
          return position;
        }),
      ),
    );
    expect(read.toSorted((a, b) => Number(a - b))).toEqual(Array.from({ length: 10 }, (_, index) => BigInt(index)));
    await expect(at.db.transaction((tx) => moveCheckpoint(tx, 'follower', 5n))).rejects.toThrow('moves forward');
  });
});
