/** Verdicts on their way to the ledger: many of them share one Contract.submitWork. */

import type { JobId, OpenVerdict, ReplicaId, ReplicaRow, UnitId, VerdictBatch } from '@assay/core';
import { addAllToOutbox } from '../outbox.ts';
import type { Tx } from '../database.ts';
import { rowSet } from './set-based.ts';
import type { UnitTurn } from './unit-cache.ts';
import type { NumberedVerdict, VerdictTurn } from './verdict-memory.ts';

/** The oldest verdicts of a job that the ledger has not been told, with the replicas of their units. */
export async function openVerdicts(
  tx: Tx,
  { units, verdicts: memory }: { readonly units: UnitTurn; readonly verdicts: VerdictTurn },
  job: JobId,
  limit: number,
): Promise<OpenVerdict[]> {
  const verdicts = memory.open(job, limit) ?? (await readOpen(tx, job, limit));
  const known = new Map(verdicts.map(({ unit }) => [unit, units.finish(unit)]));
  const unread = verdicts.filter((one) => known.get(one.unit) === undefined).map((one) => one.unit);
  const byUnit = unread.length === 0 ? undefined : await revealedReplicas(tx, unread);
  return verdicts.map((verdict) => {
    const replicas = known.get(verdict.unit)?.filter((one) => one.digest !== null) ?? byUnit?.get(verdict.unit);
    return { ...verdict, replicas: replicas ?? [] };
  });
}

function readOpen(tx: Tx, job: JobId, limit: number): Promise<NumberedVerdict[]> {
  return tx.query<NumberedVerdict>(
    {
      name: 'work.open_verdicts',
      text: `SELECT number, unit.id AS unit, unit.job_id AS job, ordinal, kind, agreed_digest AS digest,
          agreed_exit_code AS "exitCode", agreed_metric AS metric, canonical_replica AS canonical
        FROM verdict JOIN unit ON unit.id = unit_id
        WHERE verdict.job_id = $1 AND number > (SELECT verdicts_submitted FROM job WHERE id = $1)
        ORDER BY number LIMIT $2`,
    },
    [job, limit],
  );
}

async function revealedReplicas(tx: Tx, units: readonly UnitId[]): Promise<ReadonlyMap<UnitId, ReplicaRow[]>> {
  const replicas = await tx.query<ReplicaRow>(
    {
      name: 'work.replicas_of_verdicts',
      text: `SELECT id, unit_id AS unit, worker_id AS worker, owner_id AS owner, machine_class AS "machineClass", state,
          false AS overdue, commitment, digest, exit_code AS "exitCode", metrics_sha256 AS "metricsSha256", metric
        FROM replica WHERE unit_id = ANY($1) AND digest IS NOT NULL`,
    },
    [units],
  );
  return Map.groupBy(replicas, (one) => one.unit);
}

/** Funded or ended jobs with verdicts that the ledger should have been told `ageMs` ago. */
export async function jobsWithOpenVerdicts(tx: Tx, ageMs: number, limit: number): Promise<JobId[]> {
  const rows = await tx.query<{ id: JobId }>(
    `SELECT id FROM job WHERE state = 'funded' AND verdicts > verdicts_submitted
       AND coalesce(verdicts_submitted_at, funded_at) < assay_now() - $1 * interval '1 millisecond'
     ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
    [ageMs, limit],
  );
  return rows.map((row) => row.id);
}

const batchRows = rowSet<VerdictBatch>({
  job: ['text', (one) => one.job],
  first: ['int', (one) => one.first],
  last: ['int', (one) => one.last],
  proof: ['text', (one) => one.proofHash],
  result: ['text', (one) => one.resultHash],
});

const recordBatches = {
  name: 'work.record_batches',
  text: `WITH one AS ${batchRows.table(1)},
      batch AS (INSERT INTO verdict_batch (job_id, first_number, last_number, proof_hash, result_hash)
        SELECT job, first, last, proof, result FROM one)
    UPDATE job SET verdicts_submitted = one.last, verdicts_submitted_at = assay_now()
    FROM (SELECT job, max(last) AS last FROM one GROUP BY job) AS one WHERE job.id = one.job`,
};

/** Records batches and puts `Contract.submitWork(job, proofHash, resultHash)` for each into the outbox. */
export async function submitVerdicts(tx: Tx, batches: readonly VerdictBatch[]): Promise<void> {
  const calls = batches.map(({ job, first, proofHash, resultHash }) => ({
    kind: 'ledger' as const,
    op: 'Contract.submitWork',
    ref: job,
    key: `${job}/submitWork/${first}`,
    request: { contract: 'Contract', fn: 'submitWork', args: [job, proofHash, resultHash] },
  }));
  await Promise.all([tx.query(recordBatches, batchRows.values(batches)), addAllToOutbox(tx, calls)]);
}

/** The leaf hashes of the exchange that a replica's commitment or reveal came with, and where its own is. */
export interface Evidence {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly request: string;
  readonly leaf: number;
  readonly worker: string;
  readonly sentAtMs: bigint;
  readonly root: string;
  readonly bodySha256: string;
  readonly signature: string;
  readonly leaves: Buffer;
}

/** The signed requests in which the replicas of a job revealed their results: what receipts are made from. */
export function revealEvidence(tx: Tx, job: JobId): Promise<Evidence[]> {
  return tx.query<Evidence>(
    `SELECT replica.id AS replica, unit_id AS unit, reveal_request AS request, reveal_leaf AS leaf,
       exchange.worker_id AS worker, sent_at_ms AS "sentAtMs", root, body_sha256 AS "bodySha256", signature, leaves
     FROM unit JOIN replica ON unit_id = unit.id JOIN exchange ON exchange.id = reveal_request
     WHERE unit.job_id = $1 ORDER BY replica.id`,
    [job],
  );
}

/** The signed requests in which the replicas of a job committed. */
export function commitEvidence(tx: Tx, job: JobId): Promise<Evidence[]> {
  return tx.query<Evidence>(
    `SELECT replica.id AS replica, unit_id AS unit, commit_request AS request, commit_leaf AS leaf,
       exchange.worker_id AS worker, sent_at_ms AS "sentAtMs", root, body_sha256 AS "bodySha256", signature, leaves
     FROM unit JOIN replica ON unit_id = unit.id JOIN exchange ON exchange.id = commit_request
     WHERE unit.job_id = $1 ORDER BY replica.id`,
    [job],
  );
}
