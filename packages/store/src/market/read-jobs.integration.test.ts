import type { JobId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../database.ts';
import { testDatabase, type TestDatabase } from '../testing.ts';
import { readJob, readJobs, type JobFilter } from './read-jobs.ts';
import { readParties } from './read-parties.ts';

let at: TestDatabase;
const jobs = 20_000;
const digest = '0'.repeat(64);
const idOf = (job: number): string => `job_${String(job).padStart(5, '0')}`;

/** Many jobs of two customers, the newest with two units each that three owners ran; `p_rare` ran one of three others. */
beforeAll(async () => {
  at = await testDatabase();
  await at.db.query(
    `INSERT INTO account (id, email, region, roles)
     SELECT one, one || '@example.org', 'eu', '{provider}' FROM unnest('{p_0,p_1,p_2,p_rare}'::text[]) AS one`,
  );
  await at.db.query(
    `INSERT INTO job (id, customer_id, name, state, region, manifest, manifest_hash, bundle, bundle_digest, bundle_files,
       bundle_bytes, currency, price_per_replica, cap, redundancy, units_total)
     SELECT 'job_' || lpad(n::text, 5, '0'), 'c_' || n % 2, 'test', CASE n % 4 WHEN 0 THEN 'completed' ELSE 'funded' END,
       'eu', '{}', $2, '[]', $2, 0, 0, 'USD', 3, 1000, 3, 2 FROM generate_series(1, $1::int) n`,
    [jobs, digest],
  );
  await at.db.query(
    `INSERT INTO unit (id, job_id, ordinal, planned, wanted, position)
     SELECT 'u_' || j.id || '_' || o, j.id, o, 3, 0, 1 FROM job j, generate_series(0, 1) o WHERE j.id > $1 OR j.id <= $2`,
    [idOf(jobs - 1000), idOf(3)],
  );
  await ran(`SELECT u.id, u.job_id, 'p_' || o FROM unit u, generate_series(0, 2) o WHERE u.job_id <> 'job_00002'`);
  await ran(`SELECT id, job_id, 'p_rare' FROM unit WHERE job_id <= 'job_00003' AND ordinal = 0`);
  await at.owner.query('ANALYZE');
});
afterAll(() => at.drop());

/** Replicas of `rows`: unit, job and owner. */
async function ran(rows: string): Promise<void> {
  await at.db.query(
    `INSERT INTO replica (id, unit_id, job_id, worker_id, owner_id, machine_class, attempt, claimed_at, lease_until)
     SELECT unit || owner, unit, job, 'w_' || owner, owner, 'any', 0, assay_now(), assay_now()
     FROM (${rows}) AS one (unit, job, owner)`,
  );
}

const page = { state: null, before: null, limit: 50 };
const who = (account: string, all = false) => ({ account, all });
const idsOf = async (account: string, filter: Partial<JobFilter> = {}) =>
  (await readJobs(at.db, who(account), { ...page, ...filter })).map((job) => job.id);

const counted = async (tx: Tx): Promise<number> => {
  const [row] = await tx.query<{ rows: number }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows FROM pg_stat_xact_user_tables
     WHERE relname IN ('job', 'unit', 'replica', 'job_party')`,
  );
  return row?.rows ?? 0;
};

/** How many rows of jobs, units and replicas `read` looked at. */
async function rowsRead(read: (tx: Tx) => Promise<unknown>): Promise<number> {
  return await at.db.transaction(async (tx) => {
    const before = await counted(tx);
    await read(tx);
    return (await counted(tx)) - before;
  });
}

describe('jobs are shown', () => {
  test('to their customers, newest first and in pages', async () => {
    const all = Array.from({ length: jobs / 2 }, (_, index) => idOf(jobs - 2 * index));
    expect(await idsOf('c_0')).toEqual(all.slice(0, 50));
    expect(await idsOf('c_0', { before: all[49]! })).toEqual(all.slice(50, 100));
    expect(await idsOf('c_0', { state: 'completed', limit: 2 })).toEqual([idOf(jobs), idOf(jobs - 4)]);
    expect(await readJobs(at.db, who('c_0'), { ...page, limit: 1 })).toMatchObject([{ owned: true }]);
  });

  test('to who ran replicas of them, once however many', async () => {
    expect(await idsOf('p_rare')).toEqual([idOf(3), idOf(2), idOf(1)]);
    expect(await idsOf('p_rare', { before: idOf(3) })).toEqual([idOf(2), idOf(1)]);
    expect(await idsOf('p_rare', { state: 'completed' })).toEqual([]);
    expect(await readJobs(at.db, who('p_rare'), { ...page, limit: 1 })).toMatchObject([{ owned: false }]);
    expect(await readJob(at.db, who('p_rare'), idOf(2))).toMatchObject({ id: idOf(2), charged: null, owned: false });
    expect(await readJob(at.db, who('p_0'), idOf(2))).toBeUndefined();
    expect(await readJob(at.db, who('p_rare'), idOf(4))).toBeUndefined();
  });

  test('to a customer who runs work as well, its own and those that it ran', async () => {
    await ran(`SELECT id, job_id, 'c_0' FROM unit WHERE job_id = '${idOf(jobs - 1)}'`);
    expect(await idsOf('c_0', { limit: 3 })).toEqual([idOf(jobs), idOf(jobs - 1), idOf(jobs - 2)]);
  });

  test('all of them to who sees all', async () => {
    const seen = await readJobs(at.db, who('nobody', true), { ...page, limit: 3 });
    expect(seen.map((job) => job.id)).toEqual([idOf(jobs), idOf(jobs - 1), idOf(jobs - 2)]);
    expect(seen[0]).toMatchObject({ owned: true });
  });
});

describe('a look at a few jobs reads a few rows, and not those of everybody', () => {
  test.each([
    ['an account without any', 'p_new', 0],
    ['a provider of work with three', 'p_rare', 3],
  ])('%s', async (_, account, count) => {
    // More than once: after some runs a prepared statement is planned for any account at all.
    for (let run = 0; run < 8; run += 1) {
      const rows = await rowsRead(async (tx) => {
        expect(await readJobs(tx, who(account), page)).toHaveLength(count);
      });
      expect(rows).toBeLessThanOrEqual(5 + 5 * count);
    }
  });

  test('the names of who worked on one job', async () => {
    const rows = await rowsRead(async (tx) => {
      expect((await readParties(tx, idOf(3) as JobId)).size).toBe(4);
    });
    expect(rows).toBeLessThanOrEqual(20);
  });
});
