/** What a receipt is made from, as the rows tell it. */

import {
  money,
  type AccountId,
  type Currency,
  type JobId,
  type ReceiptEvidence,
  type ReplicaId,
  type RequestId,
  type Sha256Hex,
  type SourceExchange,
  type SourceReplica,
  type SourceUnit,
  type Tree,
  type UnitId,
  type UnitKind,
  type WorkerId,
} from '@assay/core';
import type { Database, Tx } from '../database.ts';
import { jobBook } from './trade-jobs.ts';

/** The evidence of a job, or undefined where there is no such job. */
export async function readReceiptSource(db: Database, id: JobId): Promise<ReceiptEvidence | undefined> {
  return await db.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const job = await jobBook(tx).find(id);
    if (!job) return undefined;
    const payees = await payeesOf(tx, id);
    return {
      job,
      exchanges: await exchangesOf(tx, id),
      units: await unitsOf(tx, id),
      payees: payees.map(({ currency, gross, commission, net, ...payee }) => ({
        ...payee,
        gross: money(currency, gross),
        commission: money(currency, commission),
        net: money(currency, net),
      })),
      calls: await tx.query(calls, [id]),
    };
  });
}

interface PayeeRow {
  readonly account: AccountId;
  readonly replicas: number;
  readonly gross: bigint;
  readonly commission: bigint;
  readonly net: bigint;
  readonly currency: Currency;
}

function payeesOf(tx: Tx, job: JobId): Promise<PayeeRow[]> {
  return tx.query<PayeeRow>(
    `SELECT provider_id AS account, replicas, gross, commission, net, currency FROM earning WHERE job_id = $1
     ORDER BY provider_id`,
    [job],
  );
}

/** What the ledger committed about the job, in the order in which it was put to it. */
const calls = {
  name: 'trade.receipt_calls',
  text: `SELECT op AS call, provider_id AS "txId" FROM outbox
    WHERE kind = 'ledger' AND ref = $1 AND state = 'done' AND provider_id IS NOT NULL ORDER BY id`,
};

// An array, and not a join: the statistics know nothing of a job that has just run.
const unitsOfJob = 'ARRAY(SELECT id FROM unit WHERE job_id = $1)';

const exchanges = {
  name: 'trade.receipt_exchanges',
  text: `WITH mine AS MATERIALIZED (SELECT worker_id, owner_id, commit_request, reveal_request FROM replica
      WHERE unit_id = ANY (${unitsOfJob}) AND digest IS NOT NULL),
    used AS MATERIALIZED (SELECT commit_request AS request, worker_id, owner_id FROM mine
      UNION SELECT reveal_request, worker_id, owner_id FROM mine)
    SELECT x.id AS request, x.worker_id AS worker, used.owner_id AS owner, w.public_key AS "publicKey",
      x.sent_at_ms AS "sentAtMs", x.root AS "statementsRoot", x.body_sha256 AS "bodySha256", x.signature,
      encode(x.leaves, 'hex') AS "leafHashes"
    FROM used JOIN exchange x ON x.id = used.request JOIN worker w ON w.id = used.worker_id ORDER BY x.id`,
};

async function exchangesOf(tx: Tx, job: JobId): Promise<SourceExchange[]> {
  const rows = await tx.query<Omit<SourceExchange, 'sentAtMs'> & { sentAtMs: bigint }>(exchanges, [job]);
  return rows.map((row) => ({ ...row, sentAtMs: Number(row.sentAtMs) }));
}

interface UnitRow {
  readonly unit: UnitId;
  readonly ordinal: number;
  readonly kind: UnitKind;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly metric: string | null;
  readonly canonical: ReplicaId;
  readonly batch: number;
}

const judged = {
  name: 'trade.receipt_units',
  text: `SELECT u.id AS unit, u.ordinal, u.kind, u.agreed_digest AS digest, u.agreed_exit_code AS "exitCode",
      u.agreed_metric AS metric, u.canonical_replica AS canonical,
      (SELECT count(*) FROM verdict_batch b WHERE b.job_id = $1 AND b.last_number < v.number)::int AS batch
    FROM unit u JOIN verdict v ON v.job_id = u.job_id AND v.unit_id = u.id
    WHERE u.job_id = $1 AND u.state = 'agreed'`,
};

interface ReplicaRow {
  readonly replica: ReplicaId;
  readonly worker: WorkerId;
  readonly unit: UnitId;
  readonly machineClass: string;
  readonly state: string;
  readonly nonce: string;
  readonly commitment: Sha256Hex;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly metrics: string | null;
  readonly outputs: Tree | null;
  readonly commitRequest: RequestId;
  readonly commitLeaf: number;
  readonly revealRequest: RequestId;
  readonly revealLeaf: number;
}

const revealed = {
  name: 'trade.receipt_replicas',
  text: `SELECT r.id AS replica, r.worker_id AS worker, r.unit_id AS unit, r.machine_class AS "machineClass", r.state,
      r.nonce, r.commitment, r.digest, r.exit_code AS "exitCode", CASE WHEN r.metrics_sha256 IS NOT NULL THEN r.metrics END AS metrics,
      CASE WHEN r.id = ANY (ARRAY(SELECT canonical_replica FROM unit WHERE job_id = $1)) THEN r.outputs END AS outputs,
      r.commit_request AS "commitRequest", r.commit_leaf AS "commitLeaf", r.reveal_request AS "revealRequest",
      r.reveal_leaf AS "revealLeaf"
    FROM replica r WHERE r.unit_id = ANY (${unitsOfJob}) AND r.digest IS NOT NULL`,
};

async function unitsOf(tx: Tx, job: JobId): Promise<SourceUnit[]> {
  const units = await tx.query<UnitRow>(judged, [job]);
  const byUnit = Map.groupBy(await tx.query<ReplicaRow>(revealed, [job]), (row) => row.unit);
  return units.map(({ batch, ...verdict }) => {
    const replicas = byUnit.get(verdict.unit) ?? [];
    const agreeing = replicas.filter((row) => row.state === 'agreed').map((row) => row.replica);
    const outputs = replicas.find((row) => row.replica === verdict.canonical)?.outputs ?? [];
    return { verdict: { ...verdict, agreeing }, batch, outputs, replicas: replicas.map(replicaOf) };
  });
}

function replicaOf(row: ReplicaRow): SourceReplica {
  const { replica, worker, unit, machineClass, nonce, commitment, digest, exitCode, metrics } = row;
  return {
    replica,
    worker,
    unit,
    machineClass,
    nonce,
    commitment,
    digest,
    exitCode,
    metrics,
    committed: { request: row.commitRequest, leaf: row.commitLeaf },
    revealed: { request: row.revealRequest, leaf: row.revealLeaf },
  };
}
