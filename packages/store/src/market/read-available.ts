/** Open work that a provider may look at. */

import type { JobId, Manifest } from '@assay/core';
import type { Tx } from '../database.ts';

/** A job with units that wait for takers who have no replica of them yet. */
export interface AvailableJob {
  readonly id: JobId;
  readonly name: string;
  readonly customerId: string;
  readonly manifest: Manifest;
  readonly currency: string;
  readonly perReplica: bigint;
  readonly openReplicas: bigint;
  /** Classes of machine that its open units are bound to; null stands for units that any class may take. */
  readonly machineClasses: readonly (string | null)[];
}

const read = {
  name: 'read-available',
  text: `SELECT j.id, j.name, j.customer_id AS "customerId", j.manifest, j.currency, j.price_per_replica AS "perReplica",
      sum(u.wanted) AS "openReplicas", array_agg(DISTINCT u.machine_class) AS "machineClasses"
    FROM (SELECT * FROM unit WHERE wanted > 0 ORDER BY position LIMIT $2) u JOIN job j ON j.id = u.job_id
    WHERE j.state = 'funded' AND j.customer_id <> $1 AND NOT EXISTS (SELECT FROM replica r WHERE r.unit_id = u.id AND r.owner_id = $1)
    GROUP BY j.id ORDER BY min(u.position) LIMIT $3`,
};

/** Jobs among the first `scan` units of the pool that workers of `owner` might take. */
export function readAvailable(tx: Tx, owner: string, scan: number, limit: number): Promise<AvailableJob[]> {
  return tx.query<AvailableJob>(read, [owner, scan, limit]);
}
