/** Which objects a worker may read and write: those of replicas that it holds. */

import { limits, type JobId, type Region, type UnitKind } from '@assay/core';
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

/** A replica that a worker holds, as far as reading its inputs needs to know. */
export interface HeldInputs {
  readonly job: JobId;
  readonly kind: UnitKind;
  readonly region: Region;
}

const readInputs = {
  name: 'held-inputs',
  text: `SELECT j.id AS job, u.kind, j.region
    FROM replica r JOIN unit u ON u.id = r.unit_id JOIN job j ON j.id = r.job_id
    WHERE r.id = $1 AND r.worker_id = $2 AND r.state IN ('leased', 'committed')`,
};

/** Whose inputs the replica reads, or undefined where the worker does not hold it. */
export async function heldInputs(tx: Tx, replica: string, worker: string): Promise<HeldInputs | undefined> {
  const [row] = await tx.query<HeldInputs>(readInputs, [replica, worker]);
  return row;
}

const readHashes = {
  work: {
    name: 'work-input-hashes',
    text: `SELECT DISTINCT file->>'sha256' AS sha256 FROM job, jsonb_array_elements(bundle) AS file WHERE id = $1`,
  },
  merge: {
    name: 'merge-input-hashes',
    text: `SELECT file->>'sha256' AS sha256 FROM job, jsonb_array_elements(bundle) AS file WHERE id = $1
      UNION SELECT file->>'sha256' FROM unit u JOIN replica c ON c.id = u.canonical_replica,
        jsonb_array_elements(c.outputs) AS file
      WHERE u.job_id = $1 AND u.kind = 'work' AND u.state = 'agreed'
      LIMIT ${limits.bundleFiles + limits.mergeInputFiles}`,
  },
};

/**
 * The hashes of all that units of this kind read: files of the bundle, and for a merge the agreed outputs. They never
 * change once such a unit is handed out.
 */
export async function inputHashes(tx: Tx, job: JobId, kind: UnitKind): Promise<string[]> {
  const rows = await tx.query<{ sha256: string }>(readHashes[kind], [job]);
  return rows.map((row) => row.sha256);
}
