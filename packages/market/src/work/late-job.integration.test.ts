import { limits } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobFacts } from './job-facts.ts';
import { sweepWork } from './sweep-work.ts';
import { addDevice, addJob, ids, openScene, resultOf, say, sha256, type Scene } from './work-scene.setup.ts';

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

test('a job ends although nobody took one of its units: by its own failing code, or by its deadline, one beside another', async () => {
  const { db, owner } = scene.database;
  const failing = await addJob(db, { chunks: 2, redundancy: 1 });
  const device = await addDevice(db);
  const { offers } = await say(scene.exchanges[0], device, { claim: 1, waitMs: 5000 });
  const result = resultOf(offers[0]!, '', { exitCode: 1 });
  await say(scene.exchanges[0], device, { commits: [result] });
  expect((await say(scene.exchanges[0], device, { reveals: [result] })).refused).toEqual([]);
  const late = [await addJob(db, { chunks: 2 }), await addJob(db)];
  await owner.query(`UPDATE job SET funded_at = assay_now() - interval '40 days' WHERE id = ANY($1)`, [late]);
  expect(await sweep()).toMatchObject({ late: 2, problems: [] });
  const rows = await db.query('SELECT state, failure_code AS code FROM job WHERE id = ANY($1) ORDER BY id', [
    [failing, ...late],
  ]);
  expect(rows).toEqual([
    { state: 'refunded', code: 'job.code_failed' },
    { state: 'refunded', code: 'job.overdue' },
    { state: 'refunded', code: 'job.overdue' },
  ]);
  const open = await db.query("SELECT FROM unit WHERE state <> 'undecided' AND state <> 'agreed' OR wanted > 0");
  expect(open).toEqual([]);
});

test('what cannot be swept holds up nothing else', async () => {
  const job = await addJob(scene.database.db);
  await scene.database.owner.query(`UPDATE job SET funded_at = assay_now() - interval '40 days' WHERE id = $1`, [job]);
  const broken = new Error('a broken sweep');
  const store: typeof scene.store = {
    ...scene.store,
    transaction: (work) =>
      scene.store.transaction((tx) =>
        work({
          ...tx,
          silentDesks: () => Promise.reject(broken),
          jobsWithOpenVerdicts: () => Promise.reject(broken),
        }),
      ),
  };
  const swept = await sweepWork({ store, facts: createJobFacts(scene.store), ids, sha256 });
  expect(swept).toMatchObject({ late: 1, problems: [broken, broken] });
});
