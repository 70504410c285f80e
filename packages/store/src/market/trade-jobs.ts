/** Jobs as orders: stored, funded, ended. */

import {
  money,
  type AccountId,
  type CommissionTerms,
  type Currency,
  type JobBook,
  type JobId,
  type JobRow,
  type JobState,
  type JobStep,
  type Manifest,
  type NewJob,
  type Region,
  type Sha256Hex,
  type Tree,
} from '@assay/core';
import { addChange } from '../change-feed.ts';
import type { Tx } from '../database.ts';
import { accountBan } from '../identity/bans.ts';
import { openUnits } from './work-jobs.ts';

/** The jobs of one transaction. */
export function jobBook(tx: Tx): JobBook {
  return {
    add: (job) => addJob(tx, job),
    find: (id) => selectJob(tx, 'trade.job_find', 'j.id = $1', [id]),
    findByKey: (customer, key) =>
      selectJob(tx, 'trade.job_by_key', 'j.customer_id = $1 AND j.idempotency_key = $2', [customer, key]),
    lock: (id) => selectJob(tx, 'trade.job_lock', 'j.id = $1 FOR NO KEY UPDATE OF j', [id]),
    lockAll: (ids) => selectJobs(tx, 'trade.jobs_lock', 'j.id = ANY($1) ORDER BY j.id FOR NO KEY UPDATE OF j', [ids]),
    step: (id, step) => stepJob(tx, id, step),
    openUnits: ({ id, redundancy }, ids) => openUnits(tx, { job: id, ids, redundancy }),
    ban: (customer) => accountBan(tx, customer),
    expired: (limit) => idsOf(tx, expired, limit),
    due: (limit) => idsOf(tx, due, limit),
  };
}

const insert = {
  name: 'trade.job_add',
  text: `INSERT INTO job (id, customer_id, name, region, manifest, manifest_hash, bundle, bundle_digest, bundle_files,
      bundle_bytes, currency, price_per_replica, cap, redundancy, units_total, idempotency_key, request_hash, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
      assay_now() + $18::bigint * interval '1 millisecond')
    ON CONFLICT (customer_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING id`,
};

async function addJob(tx: Tx, job: NewJob): Promise<boolean> {
  const bytes = job.bundle.reduce((sum, file) => sum + file.sizeBytes, 0);
  const added = await tx.query(insert, [
    job.id,
    job.customer,
    job.name,
    job.region,
    JSON.stringify(job.manifest),
    job.manifestHash,
    JSON.stringify(job.bundle),
    job.bundleDigest,
    job.bundle.length,
    bytes,
    job.cap.currency,
    job.perReplica.minor,
    job.cap.minor,
    job.redundancy,
    job.units,
    job.idempotencyKey,
    job.requestHash,
    job.payWithinMs,
  ]);
  if (added.length === 0) return false;
  await addChange(tx, { kind: 'job', jobId: job.id, accountId: job.customer, data: { state: 'created' } });
  return true;
}

interface Row {
  readonly id: JobId;
  readonly customer: AccountId;
  readonly name: string;
  readonly region: Region;
  readonly state: JobState;
  readonly manifest: Manifest;
  readonly manifestHash: Sha256Hex;
  readonly bundle: Tree;
  readonly bundleDigest: Sha256Hex;
  readonly currency: Currency;
  readonly perReplica: bigint;
  readonly cap: bigint;
  readonly deposit: bigint | null;
  readonly charged: bigint | null;
  readonly paidOut: bigint | null;
  readonly refunded: bigint | null;
  readonly redundancy: number;
  readonly units: number;
  readonly commission: StoredTerms | null;
  readonly unitsAgreed: number;
  readonly unitsUndecided: number;
  readonly replicasRunning: number;
  readonly failureCode: string | null;
  readonly failureText: string | null;
  readonly requestHash: Sha256Hex | null;
  readonly createdAt: Date;
  readonly fundedAt: Date | null;
  readonly verifiedAt: Date | null;
  readonly releaseDueAt: Date | null;
  readonly settledAt: Date | null;
  readonly releaseRequested: boolean;
  readonly ledgerProblem: string | null;
}

const columns = `j.id, j.customer_id AS customer, j.name, j.region, j.state, j.manifest,
  j.manifest_hash AS "manifestHash", j.bundle, j.bundle_digest AS "bundleDigest", j.currency,
  j.price_per_replica AS "perReplica", j.cap, e.amount AS deposit, j.charged, j.paid_out AS "paidOut", j.refunded,
  j.redundancy, j.units_total AS units, j.commission_terms AS commission, j.units_agreed AS "unitsAgreed",
  j.units_undecided AS "unitsUndecided", j.replicas_running AS "replicasRunning", j.failure_code AS "failureCode",
  j.failure_text AS "failureText", j.request_hash AS "requestHash", j.created_at AS "createdAt",
  j.funded_at AS "fundedAt", j.verified_at AS "verifiedAt", j.release_due_at AS "releaseDueAt",
  j.settled_at AS "settledAt", j.release_requested_at IS NOT NULL AS "releaseRequested",
  j.ledger_problem AS "ledgerProblem"`;

async function selectJob(
  tx: Tx,
  name: string,
  condition: string,
  values: readonly unknown[],
): Promise<JobRow | undefined> {
  const [job] = await selectJobs(tx, name, condition, values);
  return job;
}

async function selectJobs(
  tx: Tx,
  name: string,
  condition: string,
  values: readonly unknown[],
): Promise<readonly JobRow[]> {
  const text = `SELECT ${columns} FROM job j LEFT JOIN escrow e ON e.job_id = j.id WHERE ${condition}`;
  return (await tx.query<Row>({ name, text }, values)).map(jobOf);
}

function jobOf(row: Row): JobRow {
  const { currency, createdAt, fundedAt, verifiedAt, releaseDueAt, settledAt, failureCode, failureText, ...rest } = row;
  const amount = (minor: bigint | null) => (minor === null ? null : money(currency, minor));
  return {
    ...rest,
    perReplica: money(currency, row.perReplica),
    cap: money(currency, row.cap),
    deposit: money(currency, row.deposit ?? row.cap),
    charged: amount(row.charged),
    paidOut: amount(row.paidOut),
    refunded: amount(row.refunded),
    commission: row.commission && readTerms(row.commission),
    failure: failureCode === null ? null : { code: failureCode, text: failureText ?? '' },
    createdAtMs: createdAt.getTime(),
    fundedAtMs: fundedAt?.getTime() ?? null,
    verifiedAtMs: verifiedAt?.getTime() ?? null,
    releaseDueAtMs: releaseDueAt?.getTime() ?? null,
    settledAtMs: settledAt?.getTime() ?? null,
  };
}

async function stepJob(tx: Tx, id: JobId, step: JobStep): Promise<void> {
  const [set, values, state] = changeOf(step);
  const rows = await tx.query<{ customer: AccountId }>(
    { name: `trade.job_${step.kind}`, text: `UPDATE job SET ${set} WHERE id = $1 RETURNING customer_id AS customer` },
    [id, ...values],
  );
  const data = state === null ? { step: step.kind } : { state };
  for (const { customer } of rows) await addChange(tx, { kind: 'job', jobId: id, accountId: customer, data });
}

function changeOf(step: JobStep): [set: string, values: readonly unknown[], state: JobState | null] {
  switch (step.kind) {
    case 'fund': {
      const terms = JSON.stringify(writeTerms(step.commission));
      const set = `state = 'funded', funded_at = assay_now(), charged = $2, commission_terms = $3`;
      return [set, [step.charged.minor, terms], 'funded'];
    }
    case 'cancel':
      return [`state = 'cancelled', failure_code = $2, failure_text = $3`, [step.code, step.text], 'cancelled'];
    case 'request_release':
      return ['release_requested_at = assay_now()', [], null];
    case 'dispute':
      return [`state = 'disputed'`, [], 'disputed'];
    case 'complete': {
      const set = `state = 'completed', settled_at = assay_now(), paid_out = $2, refunded = $3`;
      return [set, [step.paidOut.minor, step.refunded.minor], 'completed'];
    }
    case 'refund': {
      const set = `state = 'refunded', settled_at = assay_now(), paid_out = 0, refunded = $2`;
      return [set, [step.refunded.minor], 'refunded'];
    }
    case 'flag':
      return ['ledger_problem = $2', [step.problem], null];
    default:
      throw new Error('unreachable');
  }
}

const expired = {
  name: 'trade.jobs_expired',
  text: `SELECT id FROM job WHERE state = 'created' AND expires_at <= assay_now() ORDER BY expires_at LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED`,
};

const due = {
  name: 'trade.jobs_due',
  text: `SELECT j.id FROM job j JOIN escrow e ON e.job_id = j.id
    WHERE j.state = 'verified' AND j.release_requested_at IS NULL AND j.release_due_at <= assay_now()
      AND e.release_due_at <= assay_now() AND e.funds_available_at <= assay_now()
    ORDER BY j.release_due_at LIMIT $1 FOR NO KEY UPDATE OF j SKIP LOCKED`,
};

async function idsOf(tx: Tx, sql: { name: string; text: string }, limit: number): Promise<JobId[]> {
  return (await tx.query<{ id: JobId }>(sql, [limit])).map((row) => row.id);
}

/** Commission terms as JSON carries them: whole numbers as strings. */
interface StoredTerms {
  readonly currency: Currency;
  readonly tiers: readonly { readonly fromMinor: string; readonly basisPoints: string }[];
}

function writeTerms({ currency, tiers }: CommissionTerms): StoredTerms {
  return {
    currency,
    tiers: tiers.map((tier) => ({ fromMinor: tier.fromMinor.toString(), basisPoints: tier.basisPoints.toString() })),
  };
}

function readTerms({ currency, tiers }: StoredTerms): CommissionTerms {
  return {
    currency,
    tiers: tiers.map((tier) => ({ fromMinor: BigInt(tier.fromMinor), basisPoints: BigInt(tier.basisPoints) })),
  };
}
