import { limits } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobFacts } from './job-facts.ts';
import { sweepWork } from './sweep-work.ts';
import { addDevice, addJob, ids, openScene, say, sha256, type Scene } from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const sweep = () => sweepWork({ store: scene.store, facts: createJobFacts(scene.store), ids, sha256 });

test('a job without a verdict ends at its deadline, not before, and whoever runs for it is told to stop', async () => {
  const job = await addJob(scene.database.db, { redundancy: 3 });
  const device = await addDevice(scene.database.db);
  const { offers } = await say(scene.exchanges[0], device, { claim: 1, waitMs: 5000 });
  const replica = offers[0]?.replica;
  expect(replica).toBeDefined();
  const funded = (ageMs: number) =>
    scene.database.owner.query(`UPDATE job SET funded_at = assay_now() - $2 * interval '1 millisecond' WHERE id = $1`, [
      job,
      ageMs,
    ]);

  await funded(limits.jobDeadlineMs - 60_000);
  expect(await sweep()).toMatchObject({ late: 0 });
  await funded(limits.jobDeadlineMs + 60_000);
  const swept = await sweep();
  expect(swept).toMatchObject({ late: 1 });
  expect(swept.wake.workers).toContain(device.id);
  expect(await sweep()).toMatchObject({ late: 0 });

  expect(scene.endings).toEqual([{ job, kind: 'failed', code: 'job.overdue' }]);
  const [row] = await scene.database.db.query('SELECT state, failure_code AS code FROM job WHERE id = $1', [job]);
  expect(row).toEqual({ state: 'refunded', code: 'job.overdue' });
  const { stop } = await say(scene.exchanges[0], device, { running: replica ? [replica] : [], waitMs: 0 });
  expect(stop).toEqual([replica]);
});
