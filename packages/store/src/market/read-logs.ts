/** What the code of jobs printed. */

import type { Tx } from '../database.ts';
import { ownsJob, type Viewer } from './viewer.ts';

export interface LogView {
  readonly position: bigint;
  readonly unitId: string;
  readonly replicaId: string;
  readonly stream: 'stdout' | 'stderr' | 'system';
  readonly text: string;
  readonly at: Date;
}

const readPage = {
  name: 'read-logs',
  text: `SELECT l.position, l.unit_id AS "unitId", l.replica_id AS "replicaId", l.stream, l.text, l.at
    FROM log l JOIN job j ON j.id = l.job_id
    WHERE l.job_id = $3 AND l.position > $4
      AND (${ownsJob} OR EXISTS (SELECT FROM replica r WHERE r.id = l.replica_id AND r.owner_id = $1))
    ORDER BY l.position LIMIT $5`,
};

/** Lines of the job after a position; a provider of work sees those of its own workers. */
export function readLogs(tx: Tx, viewer: Viewer, jobId: string, after: bigint, limit: number): Promise<LogView[]> {
  return tx.query<LogView>(readPage, [viewer.account, viewer.all, jobId, after, limit]);
}
