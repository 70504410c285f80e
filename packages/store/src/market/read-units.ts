/** Units with their replicas as their readers see them. */

import type { Tx } from '../database.ts';
import { ownsJob, type Viewer } from './viewer.ts';

export interface UnitView {
  readonly id: string;
  readonly ordinal: number;
  readonly kind: 'work' | 'merge';
  readonly state: string;
  readonly agreedDigest: string | null;
  readonly agreedMetric: string | null;
}

export interface ReplicaView {
  readonly id: string;
  readonly unitId: string;
  readonly workerId: string;
  readonly workerName: string | null;
  readonly ownerName: string | null;
  readonly state: string;
  readonly machineClass: string;
  readonly commitment: string | null;
  readonly digest: string | null;
  readonly metric: string | null;
  readonly claimedAt: Date;
  readonly committedAt: Date | null;
  readonly revealedAt: Date | null;
  readonly wallMs: bigint | null;
  readonly cpuMs: bigint | null;
  readonly peakBytes: bigint | null;
  readonly paid: bigint | null;
}

/** A page of units: work units by ordinal, then the merge unit. */
export interface UnitPage {
  readonly after: { readonly kind: 'work' | 'merge'; readonly ordinal: number } | null;
  readonly limit: number;
}

const readPage = {
  name: 'read-units',
  text: `SELECT u.id, u.ordinal, u.kind, u.state, u.agreed_digest AS "agreedDigest", u.agreed_metric AS "agreedMetric"
    FROM unit u JOIN job j ON j.id = u.job_id
    WHERE u.job_id = $3
      AND (${ownsJob} OR EXISTS (SELECT FROM replica r WHERE r.unit_id = u.id AND r.owner_id = $1))
      AND ($4::text IS NULL OR u.kind < $4 OR (u.kind = $4 AND u.ordinal > $5))
    ORDER BY u.kind DESC, u.ordinal LIMIT $6`,
};

const readReplicas = {
  name: 'read-replicas',
  text: `SELECT r.id, r.unit_id AS "unitId", r.worker_id AS "workerId", w.name AS "workerName",
      split_part(a.email, '@', 1) AS "ownerName", r.state, r.machine_class AS "machineClass",
      r.commitment, r.digest, r.metric, r.claimed_at AS "claimedAt",
      r.committed_at AS "committedAt", r.revealed_at AS "revealedAt", r.wall_ms AS "wallMs", r.cpu_ms AS "cpuMs",
      r.peak_bytes AS "peakBytes", p.paid
    FROM replica r JOIN job j ON j.id = r.job_id LEFT JOIN replica_pay p ON p.replica_id = r.id
      LEFT JOIN worker w ON w.id = r.worker_id LEFT JOIN account a ON a.id = r.owner_id
    WHERE r.unit_id = ANY($3) AND (${ownsJob} OR r.owner_id = $1)
    ORDER BY r.claimed_at, r.id`,
};

/** Units of the job; a provider of work sees those that its workers ran, and of them its own replicas. */
export async function readUnits(
  tx: Tx,
  viewer: Viewer,
  jobId: string,
  page: UnitPage,
): Promise<{ readonly units: readonly UnitView[]; readonly replicas: readonly ReplicaView[] }> {
  const { kind = null, ordinal = null } = page.after ?? {};
  const values = [viewer.account, viewer.all, jobId, kind, ordinal, page.limit];
  const units = await tx.query<UnitView>(readPage, values);
  const ids = units.map((unit) => unit.id);
  const replicas = await tx.query<ReplicaView>(readReplicas, [viewer.account, viewer.all, ids]);
  return { units, replicas };
}
