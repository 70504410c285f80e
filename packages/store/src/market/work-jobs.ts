/** Jobs as the exchange of work sees them: their fixed parts, their counters, and how they end. */

import {
  limits,
  mergeInputPath,
  type AccountId,
  type JobId,
  type JobProgress,
  type Manifest,
  type ReplicaId,
  type Tree,
  type UnitId,
  type WorkerId,
  type WorkJobRow,
} from '@assay/core';
import { rowSet } from './set-based.ts';
import type { Tx } from '../database.ts';

/** The parts of jobs that never change once they are funded. */
export function readJobs(tx: Tx, jobs: readonly JobId[]): Promise<WorkJobRow[]> {
  return tx.query<{
    id: JobId;
    customer: AccountId;
    manifest: Manifest;
    bundle: Tree;
    currency: string;
    pricePerReplica: bigint;
    redundancy: number;
  }>(
    {
      name: 'work.read_jobs',
      text: `SELECT id, customer_id AS customer, manifest, bundle, currency, price_per_replica AS "pricePerReplica",
          redundancy FROM job WHERE id = ANY($1)`,
    },
    [jobs],
  );
}

/** Funded jobs that have units without takers, the oldest first. */
export async function openJobs(tx: Tx, limit: number): Promise<JobId[]> {
  const rows = await tx.query<{ id: JobId }>(
    {
      name: 'work.open_jobs',
      text: `SELECT id FROM job WHERE state = 'funded'
          AND EXISTS (SELECT FROM unit WHERE job_id = job.id AND wanted > 0) ORDER BY id LIMIT $1`,
    },
    [limit],
  );
  return rows.map((row) => row.id);
}

/** Locks jobs in the order of their ids and reads their counters. */
export async function lockJobs(tx: Tx, jobs: readonly JobId[]): Promise<JobProgress[]> {
  if (jobs.length === 0) return [];
  const rows = await tx.query<Omit<JobProgress, 'verdictsSubmittedAtMs'> & { at: Date | null }>(
    {
      name: 'work.lock_jobs',
      text: `SELECT id, state, units_total AS "unitsTotal", units_agreed AS "unitsAgreed",
          units_undecided AS "unitsUndecided", verdicts, verdicts_submitted AS "verdictsSubmitted",
          coalesce(verdicts_submitted_at, funded_at) AS at
        FROM job WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`,
    },
    [jobs],
  );
  return rows.map(({ at, ...row }) => ({ ...row, verdictsSubmittedAtMs: at?.getTime() ?? null }));
}

/** Locks jobs that were funded long ago and have no verdict yet. */
export async function lateJobs(tx: Tx, ageMs: number, limit: number): Promise<JobId[]> {
  const rows = await tx.query<{ id: JobId }>(
    {
      name: 'work.late_jobs',
      text: `SELECT id FROM job WHERE state = 'funded' AND funded_at < assay_now() - $1 * interval '1 millisecond'
        ORDER BY id LIMIT $2`,
    },
    [ageMs, limit],
  );
  return rows.map((row) => row.id);
}

/** What the units of a newly funded job are made from. */
export interface NewUnits {
  readonly job: JobId;
  /** Of the work units, in the order of their ordinals; the merge unit comes when they have agreed. */
  readonly ids: readonly UnitId[];
  readonly redundancy: number;
}

/** Milliseconds by which each unit of a job queues behind the one before. */
const queueStrideMs = 10;

/** Makes the work units of a job that was just funded and wakes who waits for work. */
export async function openUnits(tx: Tx, { job, ids, redundancy }: NewUnits): Promise<void> {
  const ordinals = ids.map((_, index) => index);
  await tx.query(
    `INSERT INTO unit (id, job_id, ordinal, planned, wanted, position)
     SELECT one.id, job.id, one.ordinal, $4, $4,
       (extract(epoch FROM assay_now()) * 1000)::bigint + one.ordinal * $5::bigint - job.priority * 86400000::bigint
     FROM unnest($2::text[], $3::int[]) AS one (id, ordinal), job WHERE job.id = $1`,
    [job, ids, ordinals, redundancy, queueStrideMs],
  );
  await tx.query(`SELECT pg_notify('assay_work', '{"units":true}')`);
}

/** Makes the merge unit of a job: it stands at the head of the queue, because the job waits for it alone. */
export async function openMerge(tx: Tx, job: JobId, unit: UnitId): Promise<void> {
  await tx.query(
    `INSERT INTO unit (id, job_id, ordinal, kind, planned, wanted, position)
     SELECT $2, id, 0, 'merge', redundancy, redundancy, (extract(epoch FROM funded_at) * 1000)::bigint
     FROM job WHERE id = $1`,
    [job, unit],
  );
}

/**
 * The agreed outputs of the work units, each where the merge finds it. Of more than a merge may be given only one too
 * many is answered: then workers see that there is too much, and nobody holds what no job needs.
 */
export async function mergeInputs(tx: Tx, job: JobId): Promise<Tree> {
  const units = await tx.query<{ ordinal: number; outputs: Tree }>(
    {
      name: 'work.merge_inputs',
      text: `SELECT ordinal, outputs FROM (
          SELECT ordinal, outputs, sum(jsonb_array_length(outputs)) OVER (ORDER BY ordinal)
            - jsonb_array_length(outputs) AS before
          FROM unit JOIN replica ON replica.id = canonical_replica
          WHERE unit.job_id = $1 AND kind = 'work' AND unit.state = 'agreed') AS one
        WHERE before <= $2 ORDER BY ordinal`,
    },
    [job, limits.mergeInputFiles],
  );
  return units
    .flatMap(({ ordinal, outputs }) => outputs.map((file) => ({ ...file, path: mergeInputPath(ordinal, file.path) })))
    .slice(0, limits.mergeInputFiles + 1);
}

/** Moves a job from funded to verified; returns the end of its challenge window. */
export async function markVerified(tx: Tx, job: JobId, windowMs: number): Promise<Date | undefined> {
  const [row] = await tx.query<{ due: Date }>(
    `UPDATE job SET state = 'verified', verified_at = assay_now(),
       release_due_at = assay_now() + $2 * interval '1 millisecond'
     WHERE id = $1 AND state = 'funded' RETURNING release_due_at AS due`,
    [job, windowMs],
  );
  return row?.due;
}

/** Moves a job from funded to refunded and takes everything that runs for it away; false when it had ended before. */
export async function markFailed(
  tx: Tx,
  job: JobId,
  failure: { readonly code: string; readonly text: string },
): Promise<boolean> {
  const ended = await tx.query(
    `UPDATE job SET state = 'refunded', failure_code = $2, failure_text = $3, replicas_running = 0
     WHERE id = $1 AND state = 'funded' RETURNING id`,
    [job, failure.code, failure.text],
  );
  if (ended.length === 0) return false;
  await tx.query(
    `UPDATE unit SET state = 'undecided', wanted = 0, decided_at = assay_now()
     WHERE job_id = $1 AND state NOT IN ('agreed', 'undecided')`,
    [job],
  );
  await tx.query(
    `UPDATE replica SET state = 'withdrawn', reason = 'the job ended', ended_at = assay_now()
     WHERE unit_id IN (SELECT id FROM unit WHERE job_id = $1) AND state IN ('leased', 'committed', 'revealed')`,
    [job],
  );
  return true;
}

/** Workers that hold something of a job: whom its end must wake. */
export async function holdersOf(tx: Tx, job: JobId): Promise<WorkerId[]> {
  const rows = await tx.query<{ worker: WorkerId }>(
    `SELECT DISTINCT worker_id AS worker FROM replica
     WHERE unit_id IN (SELECT id FROM unit WHERE job_id = $1) AND state IN ('leased', 'committed')`,
    [job],
  );
  return rows.map((row) => row.worker);
}

interface UploadPair {
  readonly replica: ReplicaId;
  readonly sha256: string;
}

const pairRows = rowSet<UploadPair>({
  replica: ['text', (one) => one.replica],
  sha256: ['text', (one) => one.sha256],
});

/** Which of these outputs were uploaded, as `replica/sha256`. */
export async function uploaded(tx: Tx, pairs: readonly UploadPair[]): Promise<ReadonlySet<string>> {
  if (pairs.length === 0) return new Set();
  const rows = await tx.query<{ key: string }>(
    {
      name: 'work.uploaded',
      text: `SELECT replica_id || '/' || object_upload.sha256 || '/' || size_bytes AS key FROM object_upload
        JOIN ${pairRows.table(1)} AS one ON replica_id = one.replica AND object_upload.sha256 = one.sha256`,
    },
    pairRows.values(pairs),
  );
  return new Set(rows.map((row) => row.key));
}
