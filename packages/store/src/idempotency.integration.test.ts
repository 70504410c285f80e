import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  abandonCall,
  beginCall,
  finishCall,
  type IdempotentCall,
  pruneCalls,
  type StoredResponse,
} from './idempotency.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let at: TestDatabase;
let number = 0;
let call: IdempotentCall;
const response: StoredResponse = { status: 201, headers: { location: '/jobs/1' }, body: '{"id":"job_1"}' };

beforeAll(async () => {
  at = await testDatabase();
});
afterAll(() => at.drop());
beforeEach(() => {
  number += 1;
  call = { scope: 'acc_1:POST /jobs', key: `call-key-${number}`, requestHash: 'aa' };
});
const refusal = (code: string): object => ({ name: 'Refusal', code });
const run = async (leaseMs?: number): Promise<bigint> => {
  const begun = await beginCall(at.db, call, leaseMs);
  if (begun.kind !== 'run') throw new Error('answered');
  return begun.fence;
};

test('the first call runs, a repeat gets its answer, another question under the key is refused', async () => {
  const fence = await run();
  await expect(beginCall(at.db, call)).rejects.toMatchObject(refusal('idempotency.in_progress'));
  expect(await finishCall(at.db, call, fence, response)).toBe(true);
  expect(await beginCall(at.db, call)).toEqual({ kind: 'answered', response });
  const other = { ...call, requestHash: 'bb' };
  await expect(beginCall(at.db, other)).rejects.toMatchObject(refusal('idempotency.key_reused'));
  expect(await beginCall(at.db, { ...other, scope: 'acc_2:POST /jobs' })).toMatchObject({ kind: 'run' });
});

test('of twenty at once exactly one runs', async () => {
  const begun = await Promise.allSettled(Array.from({ length: 20 }, () => beginCall(at.db, call)));
  expect(begun.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  for (const one of begun) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject(refusal('idempotency.in_progress'));
  }
});

test('a run that died is taken over after its lease, and its own answer no longer counts', async () => {
  const dead = await run(0);
  await expect(beginCall(at.db, { ...call, requestHash: 'bb' })).rejects.toMatchObject(
    refusal('idempotency.key_reused'),
  );
  const alive = await run();
  expect(alive).toBeGreaterThan(dead);
  expect(await finishCall(at.db, call, dead, response)).toBe(false);
  await abandonCall(at.db, call, dead);
  expect(await finishCall(at.db, call, alive, { ...response, status: 409 })).toBe(true);
  expect(await finishCall(at.db, call, alive, response)).toBe(false);
  expect(await beginCall(at.db, call)).toMatchObject({ response: { status: 409 } });
});

test('an abandoned key is free at once, an answered one never', async () => {
  await abandonCall(at.db, call, await run());
  const fence = await run();
  await finishCall(at.db, call, fence, response);
  await abandonCall(at.db, call, fence);
  expect(await beginCall(at.db, call)).toMatchObject({ kind: 'answered' });
});

test.each(['', 'short', 'x'.repeat(201)])('the key %j is refused', async (key) => {
  await expect(beginCall(at.db, { ...call, key })).rejects.toMatchObject(refusal('idempotency.key_missing'));
});

test('calls older than a day are forgotten, unless they still run', async () => {
  await finishCall(at.db, call, await run(0), response);
  await at.owner.query(`UPDATE idempotency SET at = at - interval '23 hours' WHERE key = $1`, [call.key]);
  expect(await pruneCalls(at.db)).toBe(0);
  await at.owner.query(`UPDATE idempotency SET at = at - interval '2 hours' WHERE key = $1`, [call.key]);
  expect(await pruneCalls(at.db)).toBe(1);
  expect(await beginCall(at.db, call)).toMatchObject({ kind: 'run' });
});
