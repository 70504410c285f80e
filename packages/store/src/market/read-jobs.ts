/** Jobs as their readers see them. */

import type { Manifest } from '@assay/core';
import type { Tx } from '../database.ts';
import { ownsJob, seesJob, type Viewer } from './viewer.ts';

/** One job; what only its customer may know is null for a provider of work. */
export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly region: string;
  readonly manifest: Manifest;
  readonly manifestHash: string;
  readonly bundleDigest: string;
  readonly bundleFiles: number;
  readonly bundleBytes: bigint;
  readonly currency: string;
  readonly perReplica: bigint;
  readonly cap: bigint;
  readonly charged: bigint | null;
  readonly paidOut: bigint | null;
  readonly refunded: bigint | null;
  readonly redundancy: number;
  readonly units: number;
  readonly agreed: number;
  readonly undecided: number;
  readonly replicasRunning: number;
  readonly failureCode: string | null;
  readonly failureText: string | null;
  readonly createdAt: Date;
  readonly fundedAt: Date | null;
  readonly verifiedAt: Date | null;
  readonly releaseDueAt: Date | null;
  readonly settledAt: Date | null;
  readonly disputeId: string | null;
  readonly disputeState: 'open' | 'resolved' | null;
  readonly disputeReason: string | null;
  readonly disputeOpenedAt: Date | null;
  /** Whether the viewer is on the customer's side: sees money, logs and results. */
  readonly owned: boolean;
}

const columns = `j.id, j.name, j.state, j.region, j.manifest, j.manifest_hash AS "manifestHash",
  j.bundle_digest AS "bundleDigest", j.bundle_files AS "bundleFiles", j.bundle_bytes AS "bundleBytes", j.currency,
  j.price_per_replica AS "perReplica", j.cap, j.redundancy, j.units_total AS units, j.units_agreed AS agreed,
  j.units_undecided AS undecided, j.replicas_running AS "replicasRunning", j.failure_code AS "failureCode",
  j.failure_text AS "failureText", j.created_at AS "createdAt", j.funded_at AS "fundedAt",
  j.verified_at AS "verifiedAt", j.release_due_at AS "releaseDueAt", j.settled_at AS "settledAt",
  CASE WHEN ${ownsJob} THEN j.charged END AS charged, CASE WHEN ${ownsJob} THEN j.paid_out END AS "paidOut",
  CASE WHEN ${ownsJob} THEN j.refunded END AS refunded, ${ownsJob} AS owned,
  d.id AS "disputeId", d.state AS "disputeState", d.reason AS "disputeReason", d.opened_at AS "disputeOpenedAt"`;

const latestDispute = `LEFT JOIN LATERAL (SELECT * FROM dispute o WHERE o.job_id = j.id AND ${ownsJob}
  ORDER BY o.opened_at DESC, o.id DESC LIMIT 1) d ON true`;

const readOne = {
  name: 'read-job',
  text: `SELECT ${columns} FROM job j ${latestDispute} WHERE j.id = $3 AND ${seesJob}`,
};

/** The job, or undefined where there is none that the viewer may see. */
export async function readJob(tx: Tx, viewer: Viewer, id: string): Promise<JobView | undefined> {
  const [row] = await tx.query<JobView>(readOne, [viewer.account, viewer.all, id]);
  return row;
}

/** A page of jobs, newest first. */
export interface JobFilter {
  readonly state: string | null;
  /** Only jobs with smaller ids. */
  readonly before: string | null;
  readonly limit: number;
}

const readAll = {
  name: 'read-jobs-all',
  text: `SELECT ${columns} FROM job j ${latestDispute}
    WHERE ($3::text IS NULL OR j.state = $3) AND ($4::text IS NULL OR j.id < $4)
    ORDER BY j.id DESC LIMIT $5`,
};

// Two lists that each end by themselves: a condition that joins them would be tried on everybody's jobs.
const wanted = '($3::text IS NULL OR m.state = $3) AND ($4::text IS NULL OR m.id < $4)';
const readOwn = {
  name: 'read-jobs-own',
  text: `WITH mine AS (
      (SELECT m.id FROM job m WHERE m.customer_id = $1 AND ${wanted} ORDER BY m.id DESC LIMIT $5)
      UNION (SELECT m.id FROM job_party p JOIN job m ON m.id = p.job_id
        WHERE p.owner_id = $1 AND ($4::text IS NULL OR p.job_id < $4) AND ${wanted} ORDER BY p.job_id DESC LIMIT $5))
    SELECT ${columns} FROM mine JOIN job j USING (id) ${latestDispute} ORDER BY j.id DESC LIMIT $5`,
};

/** Jobs that the viewer may see. */
export function readJobs(tx: Tx, viewer: Viewer, filter: JobFilter): Promise<JobView[]> {
  const read = viewer.all ? readAll : readOwn;
  return tx.query<JobView>(read, [viewer.account, viewer.all, filter.state, filter.before, filter.limit]);
}
