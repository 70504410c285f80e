import type { AccountId, JobId } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobFacts } from './job-facts.ts';
import { sweepWork } from './sweep-work.ts';
import {
  addAccount,
  addDevice,
  addJob,
  ids,
  openScene,
  resultOf,
  say,
  sha256,
  type Scene,
} from './work-scene.setup.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const what = 'a sealed import was called';
const sweep = () => sweepWork({ store: scene.store, facts: createJobFacts(scene.store), ids, sha256 });

/**
 * Workers run a unit of a job to its end: `words` is what the first of them say that it reached for, `honest` more of
 * them see it end well, and the rest of `redundancy` never show their result.
 */
async function accused(
  words: readonly (string | undefined)[],
  { redundancy = 3, honest = 0 } = {},
): Promise<{ job: JobId; customer: AccountId }> {
  const { db } = scene.database;
  const job = await addJob(db, { redundancy });
  const devices = await Promise.all(Array.from({ length: redundancy }, () => addDevice(db)));
  const results = [];
  for (const device of devices) {
    const { offers } = await say(scene.exchanges[0], device, { claim: 1, waitMs: 5000 });
    expect(offers[0]?.job).toBe(job);
    results.push(resultOf(offers[0]!, ''));
  }
  for (const [index, device] of devices.entries()) {
    await say(scene.exchanges[0], device, { commits: results.slice(index, index + 1) });
  }
  const shown = [...words.map((breach) => ({ exitCode: 159, breach })), ...Array.from({ length: honest }, () => ({}))];
  for (const [index, { breach, ...more }] of shown.map((one) => ({ breach: undefined, ...one })).entries()) {
    const reveal = { ...results[index]!, ...more, ...(breach === undefined ? {} : { breach }) };
    await say(scene.exchanges[0], devices[index]!, { reveals: [reveal] });
  }
  const [row] = await db.query<{ customer: AccountId }>('SELECT customer_id AS customer FROM job WHERE id = $1', [job]);
  return { job, customer: row!.customer };
}

/** Lets the time to reveal pass for all who have not, and then the patience with replacements. */
async function passTime(): Promise<void> {
  const { owner } = scene.database;
  await owner.query(`UPDATE unit SET reveal_due_at = assay_now() - interval '1 s' WHERE state = 'revealing'`);
  await owner.query(`UPDATE desk SET seen_at = assay_now() - interval '1 hour'`);
  expect(await sweep()).toMatchObject({ banned: 0, problems: [] });
  await owner.query(`UPDATE unit SET wanted_since = assay_now() - interval '1 hour' WHERE wanted > 0`);
}

async function banOf(customer: AccountId): Promise<unknown> {
  const [row] = await scene.database.db.query('SELECT ban_reason AS reason FROM account WHERE id = $1', [customer]);
  return (row as { reason: unknown }).reason;
}

async function end(job: JobId): Promise<void> {
  await scene.store.transaction((tx) => tx.failJob(job, { code: 'job.overdue', text: 'the test is over' }));
}

test('two independent workers whose report is the verdict have the customer banned, once', async () => {
  const { job, customer } = await accused([what, what]);
  expect(await sweep()).toMatchObject({ banned: 0 });
  expect(await banOf(customer)).toBeNull();
  await passTime();
  expect(await sweep()).toMatchObject({ banned: 1, problems: [] });
  expect(await banOf(customer)).toBe(`${job}: ${what}`);
  expect(scene.endings.filter((one) => one.job === job)).toEqual([{ job, kind: 'failed', code: 'job.code_failed' }]);
  expect(await sweep()).toMatchObject({ banned: 0 });
  const audit = await scene.database.db.query('SELECT actor, action FROM audit_log WHERE ref = $1', [customer]);
  expect(audit).toEqual([{ actor: 'system', action: 'ban.add' }]);
});

test('two workers against an honest majority ban nobody, and are weighed', async () => {
  const { job, customer } = await accused([what, what], { redundancy: 5, honest: 3 });
  await passTime();
  expect(await sweep()).toMatchObject({ banned: 0 });
  expect(await banOf(customer)).toBeNull();
  const open = await scene.database.db.query('SELECT FROM breach WHERE job_id = $1 AND NOT weighed', [job]);
  expect(open).toEqual([]);
});

test('one worker, or two that say different things, ban nobody', async () => {
  for (const words of [[what], [what, 'something else'], [what, undefined]]) {
    const { job, customer } = await accused(words);
    await passTime();
    expect(await sweep()).toMatchObject({ banned: 0 });
    expect(await banOf(customer)).toBeNull();
    await end(job);
  }
});

test('two workers of one provider ban nobody, however they came by the job', async () => {
  const { job, customer } = await accused([what, what]);
  const owner = await addAccount(scene.database.db);
  await scene.database.owner.query(
    'UPDATE replica SET owner_id = $2, attempt = attempt + (worker_id > $3)::int WHERE job_id = $1 AND exit_code = 159',
    [
      job,
      owner,
      (
        await scene.database.db.query<{ least: string }>(
          'SELECT min(worker_id) AS least FROM replica WHERE job_id = $1 AND exit_code = 159',
          [job],
        )
      )[0]!.least,
    ],
  );
  expect(await sweep()).toMatchObject({ banned: 0 });
  expect(await banOf(customer)).toBeNull();
  await end(job);
});

test('a job whose replicas all fail so is refunded by its verdict, and its customer banned by the sweep', async () => {
  const { job, customer } = await accused([what, what, what]);
  expect(scene.endings.filter((one) => one.job === job)).toEqual([{ job, kind: 'failed', code: 'job.code_failed' }]);
  expect(await sweep()).toMatchObject({ banned: 1 });
  expect(await banOf(customer)).toContain(job);
  expect(scene.endings.filter((one) => one.job === job)).toHaveLength(1);
});

test.each([
  ['with another exit code', { exitCode: 1, breach: what }],
  ['of no text', { exitCode: 159, breach: '' }],
  ['that is too long', { exitCode: 159, breach: 'x'.repeat(201) }],
  ['that no database holds', { exitCode: 159, breach: 'x\0' }],
])('a breach %s is malformed', async (_what, more) => {
  const device = await addDevice(scene.database.db);
  const offer = { replica: 'rep_', unit: 'unit_', job: 'job_' } as never;
  const reveal = {
    ...resultOf(offer, '', more),
    offer: { ...(offer as object), replica: `rep_${'1'.repeat(32)}` } as never,
  };
  await expect(say(scene.exchanges[0], device, { reveals: [reveal] })).rejects.toMatchObject({
    code: 'request.malformed',
    message: expect.stringContaining('breach'),
  });
});
