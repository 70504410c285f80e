/** Work that waits for workers: a figure for those who run servers. */

import { limits } from '@assay/core';
import type { Tx } from '../database.ts';

export interface Backlog {
  /** Units that want a worker, counted up to `limits.backlogUnits`. */
  readonly units: number;
  /** Replicas that they want. */
  readonly replicas: number;
}

/** Counts along the index of the pool, so that finished work costs nothing. */
export async function readBacklog(tx: Tx): Promise<Backlog> {
  const text = `SELECT count(*)::int AS units, coalesce(sum(wanted), 0)::int AS replicas
    FROM (SELECT wanted FROM unit WHERE wanted > 0 LIMIT $1) AS waiting`;
  const [row] = await tx.query<Backlog>({ name: 'work_backlog', text }, [limits.backlogUnits]);
  return row ?? { units: 0, replicas: 0 };
}
