/** Units, verdicts and counters that moved, and telling those who wait for it. */

import type { JobAdvance, JobChange, UnitChange, WorkChanges, WorkWake } from '@assay/core';
import { limits } from '@assay/core';
import type { Tx } from '../database.ts';
import { columnsOf } from './set-based.ts';

/** The channel on which servers tell each other that waiting requests may be answered. */
export const wakeChannel = 'assay_work';

/** Writes verdicts, job counters and the change feed. */
export async function advanceJobs(tx: Tx, change: JobAdvance): Promise<void> {
  await Promise.all([writeVerdicts(tx, change), writeJobs(tx, change.jobs), writeFeed(tx, change.units)]);
}

const updateUnits = {
  name: 'work.update_units',
  text: `UPDATE unit SET state = one.state, planned = one.planned, wanted = one.wanted,
      patience_over = one.patience_over, machine_class = one.machine_class,
      reveal_due_at = CASE WHEN one.opens THEN to_timestamp($2 / 1000.0) ELSE reveal_due_at END,
      wanted_since = CASE WHEN one.more THEN to_timestamp($1 / 1000.0) ELSE wanted_since END,
      decided_at = CASE WHEN one.state IN ('agreed', 'undecided') THEN to_timestamp($1 / 1000.0) END,
      agreed_digest = one.digest, agreed_exit_code = one.exit_code, agreed_metric = one.metric,
      canonical_replica = one.canonical, agreeing = one.agreeing
    FROM unnest($3::text[], $4::text[], $5::int[], $6::int[], $7::bool[], $8::text[], $9::bool[], $10::bool[],
      $11::text[], $12::int[], $13::text[], $14::text[], $15::int[])
      AS one (id, state, planned, wanted, patience_over, machine_class, opens, more, digest, exit_code, metric,
        canonical, agreeing)
    WHERE unit.id = one.id`,
};

/** Writes what changed on units. */
export async function writeUnits(tx: Tx, { units, decided, nowMs, revealMs }: WorkChanges): Promise<void> {
  if (units.length === 0) return;
  const verdicts = new Map(decided.map((one) => [one.unit, one]));
  const columns = columnsOf(units, [
    (one) => one.row.id,
    (one) => one.row.state,
    (one) => one.row.planned,
    (one) => one.row.wanted,
    (one) => one.row.patienceOver,
    (one) => one.row.machineClass,
    (one) => one.opensReveal,
    (one) => one.wantsMore,
    (one) => verdicts.get(one.row.id)?.digest,
    (one) => verdicts.get(one.row.id)?.exitCode,
    (one) => verdicts.get(one.row.id)?.metric,
    (one) => verdicts.get(one.row.id)?.canonical,
    (one) => verdicts.get(one.row.id)?.agreeing,
  ]);
  await tx.query(updateUnits, [nowMs, nowMs + revealMs, ...columns]);
}

const insertVerdicts = {
  name: 'work.insert_verdicts',
  text: `INSERT INTO verdict (job_id, number, unit_id)
    SELECT job, number, unit FROM unnest($1::text[], $2::int[], $3::text[]) AS one (job, number, unit)`,
};

async function writeVerdicts(tx: Tx, { decided }: JobAdvance): Promise<void> {
  if (decided.length === 0) return;
  await tx.query(insertVerdicts, columnsOf(decided, [(one) => one.job, (one) => one.number, (one) => one.unit]));
}

const updateJobs = {
  name: 'work.update_jobs',
  text: `UPDATE job SET units_agreed = units_agreed + one.agreed, verdicts = verdicts + one.agreed,
      units_undecided = units_undecided + one.undecided, replicas_running = replicas_running + one.running
    FROM unnest($1::text[], $2::int[], $3::int[], $4::int[]) AS one (id, agreed, undecided, running)
    WHERE job.id = one.id`,
};

async function writeJobs(tx: Tx, jobs: readonly JobChange[]): Promise<void> {
  if (jobs.length === 0) return;
  const columns = columnsOf(jobs, [
    (one) => one.job,
    (one) => one.agreed,
    (one) => one.undecided,
    (one) => one.running,
  ]);
  await tx.query(updateJobs, columns);
}

/** One row a job: how many units moved, and their ids where they are few. */
async function writeFeed(tx: Tx, units: readonly UnitChange[]): Promise<void> {
  const byJob = new Map<string, string[]>();
  for (const { row } of units) {
    const moved = byJob.get(row.job);
    if (moved) moved.push(row.id);
    else byJob.set(row.job, [row.id]);
  }
  if (byJob.size === 0) return;
  await tx.query(insertFeed, [[...byJob.keys()], [...byJob.values()].map((moved) => JSON.stringify({ units: moved }))]);
}

const insertFeed = {
  name: 'work.insert_feed',
  text: `INSERT INTO change_feed (job_id, account_id, kind, data)
    SELECT job.id, job.customer_id, 'units', one.data
    FROM unnest($1::text[], $2::jsonb[]) AS one (id, data) JOIN job ON job.id = one.id`,
};

/** Tells other servers' waiting requests when this transaction commits. */
export async function sendWake(tx: Tx, from: string, wake: WorkWake): Promise<void> {
  if (wake.workers.length === 0 && !wake.units) return;
  const full = JSON.stringify({ from, workers: wake.workers, units: wake.units });
  const payload = full.length < limits.notifyChars ? full : JSON.stringify({ from, units: true, all: true });
  // Not awaited: it travels with the commit, which fails where this does.
  tx.query({ name: 'work.notify', text: 'SELECT pg_notify($1, $2)' }, [wakeChannel, payload]).catch(() => undefined);
}
