/** Which objects a worker may read and write: those of replicas that it holds. */

import type { Region } from '@assay/core';
import type { Tx } from '../database.ts';

/** A replica that a worker holds, as far as moving its files needs to know. */
export interface HeldObjects {
  readonly region: Region;
  /** Bytes of outputs that were uploaded for it, and how many files. */
  readonly uploadedBytes: bigint;
  readonly uploadedFiles: number;
}

const readHeld = {
  name: 'held-replica',
  text: `SELECT j.region, coalesce(sum(o.size_bytes), 0)::bigint AS "uploadedBytes", count(o.sha256)::int AS "uploadedFiles"
    FROM replica r JOIN job j ON j.id = r.job_id LEFT JOIN object_upload o ON o.replica_id = r.id AND o.sha256 <> $3
    WHERE r.id = $1 AND r.worker_id = $2 AND r.state IN ('leased', 'committed')
    GROUP BY j.id, j.region`,
};

/** The replica, or undefined where the worker does not hold it; an upload of `sha256` itself does not count. */
export async function heldReplica(
  tx: Tx,
  replica: string,
  worker: string,
  sha256: string,
): Promise<HeldObjects | undefined> {
  const [row] = await tx.query<HeldObjects>(readHeld, [replica, worker, sha256]);
  return row;
}

const readInput = {
  name: 'held-input',
  text: `SELECT j.region
    FROM replica r JOIN unit u ON u.id = r.unit_id JOIN job j ON j.id = r.job_id
    WHERE r.id = $1 AND r.worker_id = $2 AND r.state IN ('leased', 'committed')
      AND (j.bundle @> jsonb_build_array(jsonb_build_object('sha256', $3::text))
        OR (u.kind = 'merge' AND EXISTS (
          SELECT FROM unit w JOIN replica c ON c.id = w.canonical_replica
          WHERE w.job_id = j.id AND w.kind = 'work'
            AND c.outputs @> jsonb_build_array(jsonb_build_object('sha256', $3::text)))))`,
};

/** The region that holds an input of the replica: a file of the bundle, or for a merge an agreed output. */
export async function inputRegion(
  tx: Tx,
  replica: string,
  worker: string,
  sha256: string,
): Promise<Region | undefined> {
  const [row] = await tx.query<{ region: Region }>(readInput, [replica, worker, sha256]);
  return row?.region;
}
