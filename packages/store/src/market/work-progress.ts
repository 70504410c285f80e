/** Units, verdicts and counters that moved, and telling those who wait for it. */

import type { DecidedRow, JobAdvance, JobChange, UnitChange, WorkChanges, WorkWake } from '@assay/core';
import { limits } from '@assay/core';
import type { Tx } from '../database.ts';
import { rowSet } from './set-based.ts';

/** The channel on which servers tell each other that waiting requests may be answered. */
export const wakeChannel = 'assay_work';

/** Writes verdicts, job counters and the change feed. */
export async function advanceJobs(tx: Tx, change: JobAdvance): Promise<void> {
  await Promise.all([writeVerdicts(tx, change), writeJobs(tx, change.jobs), writeFeed(tx, change.units)]);
}

interface UnitMove extends UnitChange {
  readonly verdict: WorkChanges['decided'][number] | undefined;
}

const unitRows = rowSet<UnitMove>({
  id: ['text', (one) => one.row.id],
  state: ['text', (one) => one.row.state],
  planned: ['int', (one) => one.row.planned],
  wanted: ['int', (one) => one.row.wanted],
  patience_over: ['bool', (one) => one.row.patienceOver],
  machine_class: ['text', (one) => one.row.machineClass],
  opens: ['bool', (one) => one.opensReveal],
  more: ['bool', (one) => one.wantsMore],
  digest: ['text', (one) => one.verdict?.digest],
  exit_code: ['int', (one) => one.verdict?.exitCode],
  metric: ['text', (one) => one.verdict?.metric],
  canonical: ['text', (one) => one.verdict?.canonical],
  agreeing: ['int', (one) => one.verdict?.agreeing],
});

const updateUnits = {
  name: 'work.update_units',
  text: `UPDATE unit SET state = one.state, planned = one.planned, wanted = one.wanted,
      patience_over = one.patience_over, machine_class = one.machine_class,
      reveal_due_at = CASE WHEN one.opens THEN to_timestamp($2::float8 / 1000) ELSE reveal_due_at END,
      wanted_since = CASE WHEN one.more THEN to_timestamp($1::float8 / 1000) ELSE wanted_since END,
      decided_at = CASE WHEN one.state IN ('agreed', 'undecided') THEN to_timestamp($1::float8 / 1000) END,
      agreed_digest = one.digest, agreed_exit_code = one.exit_code, agreed_metric = one.metric,
      canonical_replica = one.canonical, agreeing = one.agreeing
    FROM ${unitRows.table(3)} AS one WHERE unit.id = one.id`,
};

/** Writes what changed on units. */
export async function writeUnits(tx: Tx, { units, decided, nowMs, revealMs }: WorkChanges): Promise<void> {
  if (units.length === 0) return;
  const verdicts = new Map(decided.map((one) => [one.unit, one]));
  const moves = units.map((one): UnitMove => ({ ...one, verdict: verdicts.get(one.row.id) }));
  await tx.query(updateUnits, [nowMs, nowMs + revealMs, ...unitRows.values(moves)]);
}

const verdictRows = rowSet<DecidedRow>({
  job: ['text', (one) => one.job],
  number: ['int', (one) => one.number],
  unit: ['text', (one) => one.unit],
});

const insertVerdicts = {
  name: 'work.insert_verdicts',
  text: `INSERT INTO verdict (job_id, number, unit_id) SELECT job, number, unit FROM ${verdictRows.table(1)} AS one`,
};

async function writeVerdicts(tx: Tx, { decided }: JobAdvance): Promise<void> {
  if (decided.length > 0) await tx.query(insertVerdicts, verdictRows.values(decided));
}

const jobRows = rowSet<JobChange>({
  id: ['text', (one) => one.job],
  agreed: ['int', (one) => one.agreed],
  undecided: ['int', (one) => one.undecided],
  running: ['int', (one) => one.running],
});

const updateJobs = {
  name: 'work.update_jobs',
  text: `UPDATE job SET units_agreed = units_agreed + one.agreed, verdicts = verdicts + one.agreed,
      units_undecided = units_undecided + one.undecided, replicas_running = replicas_running + one.running
    FROM ${jobRows.table(1)} AS one WHERE job.id = one.id`,
};

async function writeJobs(tx: Tx, jobs: readonly JobChange[]): Promise<void> {
  if (jobs.length > 0) await tx.query(updateJobs, jobRows.values(jobs));
}

const feedRows = rowSet<readonly [job: string, moved: readonly string[]]>({
  id: ['text', ([job]) => job],
  data: [
    'jsonb',
    ([, moved]) => JSON.stringify({ moved: moved.length, units: moved.length <= limits.feedUnits ? moved : undefined }),
  ],
});

const insertFeed = {
  name: 'work.insert_feed',
  text: `INSERT INTO change_feed (job_id, account_id, kind, data)
    SELECT job.id, job.customer_id, 'units', one.data FROM ${feedRows.table(1)} AS one JOIN job ON job.id = one.id`,
};

/** One row a job: how many units moved, and their ids where they are few. */
async function writeFeed(tx: Tx, units: readonly UnitChange[]): Promise<void> {
  const byJob = new Map<string, string[]>();
  for (const { row } of units) {
    const moved = byJob.get(row.job);
    if (moved) moved.push(row.id);
    else byJob.set(row.job, [row.id]);
  }
  if (byJob.size > 0) await tx.query(insertFeed, feedRows.values([...byJob]));
}

/** Tells other servers' waiting requests when this transaction commits. */
export async function sendWake(tx: Tx, from: string, wake: WorkWake): Promise<void> {
  if (wake.workers.length === 0 && !wake.units) return;
  const full = JSON.stringify({ from, workers: wake.workers, units: wake.units });
  const payload = full.length < limits.notifyChars ? full : JSON.stringify({ from, units: true, all: true });
  // Not awaited: it travels with the commit, which fails where this does.
  tx.query({ name: 'work.notify', text: 'SELECT pg_notify($1, $2)' }, [wakeChannel, payload]).catch(() => undefined);
}
