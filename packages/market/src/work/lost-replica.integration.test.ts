import { limits } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  addAccount,
  addDevice,
  addJob,
  openScene,
  resultOf,
  say,
  type Device,
  type Result,
  type Scene,
} from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** The replica that the device is offered, undefined where there is none for it. */
async function claim(device: Device, waitMs = 300): Promise<Result | undefined> {
  // The unit may be in the hands of a transaction that is about to end, so that even a certain offer can take a wait.
  const { offers } = await say(scene.exchanges[0], device, { claim: 1, waitMs });
  expect(offers.length).toBeLessThanOrEqual(1);
  return offers[0] && resultOf(offers[0]);
}

/** Takes a replica and gives it back, as a worker does that was stopped. */
async function lose(device: Device): Promise<Result> {
  const result = await claim(device, 5000);
  if (!result) throw new Error('a replica is offered');
  const { refused } = await say(scene.exchanges[0], device, {
    failures: [{ replica: result.offer.replica, reason: 'worker_restarted' }],
  });
  expect(refused).toEqual([]);
  return result;
}

/** Commits what the devices hold, waits until it may be shown, and shows it. */
async function show(held: readonly (readonly [Device, Result])[]): Promise<void> {
  for (const [device, result] of held) await say(scene.exchanges[0], device, { commits: [result] });
  for (const [device, result] of held) {
    expect((await say(scene.exchanges[0], device, { waitMs: 2000 })).reveal).toEqual([result.offer.replica]);
    expect((await say(scene.exchanges[0], device, { reveals: [result] })).refused).toEqual([]);
  }
}

async function claimed(device: Device): Promise<[Device, Result]> {
  const result = await claim(device, 5000);
  if (!result) throw new Error('a replica is offered');
  return [device, result];
}

/** Shows what is held with what the others are offered; a lost replica is asked for anew once the round is over. */
async function finish(held: readonly (readonly [Device, Result])[], others: readonly Device[]): Promise<void> {
  const round = [...held];
  const waiting: Device[] = [];
  for (const device of others) {
    const result = await claim(device);
    if (result) round.push([device, result]);
    else waiting.push(device);
  }
  await show(round);
  for (const device of waiting) await show([await claimed(device)]);
}

test.each([1, 3])(
  'whoever lost a replica takes the unit again and is believed (of %d replicas)',
  async (redundancy) => {
    const job = await addJob(scene.database.db, { redundancy });
    const unlucky = await addDevice(scene.database.db);
    const lost = await lose(unlucky);
    const again = await claimed(unlucky);
    expect(again[1].offer.unit).toBe(lost.offer.unit);
    expect(again[1].offer.replica).not.toBe(lost.offer.replica);

    const others = await Promise.all(Array.from({ length: redundancy - 1 }, () => addDevice(scene.database.db)));
    await finish([again], others);
    expect(scene.endings).toContainEqual({ job, kind: 'verified' });
  },
);

test('who holds a replica of the unit gets no second one, on no device, whatever was lost before', async () => {
  await addJob(scene.database.db, { redundancy: 3 });
  const owner = await addAccount(scene.database.db);
  const [first, second] = [await addDevice(scene.database.db, owner), await addDevice(scene.database.db, owner)];
  await lose(first);
  const held = await claimed(second);
  expect(await claim(first)).toBeUndefined();
  expect(await claim(second)).toBeUndefined();
  await finish([held], [await addDevice(scene.database.db), await addDevice(scene.database.db)]);
});

test('an owner that keeps losing gets no more of the unit, on any device; others do', async () => {
  const job = await addJob(scene.database.db, { redundancy: 1 });
  const owner = await addAccount(scene.database.db);
  const pair = [await addDevice(scene.database.db, owner), await addDevice(scene.database.db, owner)];
  for (let losses = 0; losses < limits.ownerLosses; losses += 1) await lose(pair[losses % 2]!);
  for (const device of pair) expect(await claim(device)).toBeUndefined();

  await show([await claimed(await addDevice(scene.database.db))]);
  expect(scene.endings).toContainEqual({ job, kind: 'verified' });
  const rows = await scene.database.db.query<{ owner: string; losses: bigint }>(
    `SELECT owner_id AS owner, count(*) AS losses FROM replica WHERE job_id = $1 AND state = 'lost' GROUP BY 1`,
    [job],
  );
  expect(rows).toEqual([{ owner, losses: BigInt(limits.ownerLosses) }]);
});
