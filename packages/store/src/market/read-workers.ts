/** Workers as their owners and operators see them. */

import type { Tx } from '../database.ts';
import type { Viewer } from './viewer.ts';

export interface WorkerView {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly banned: boolean;
  readonly agreed: bigint;
  readonly disagreed: bigint;
  readonly lost: bigint;
  readonly running: number;
  readonly registeredAt: Date;
  readonly lastSeenAt: Date | null;
}

const readPage = {
  name: 'read-workers',
  text: `SELECT w.id, w.name, w.public_key AS "publicKey", w.machine, w.banned_at IS NOT NULL AS banned, w.agreed,
      w.disagreed, w.lost, coalesce(cardinality(d.held), 0) AS running, w.registered_at AS "registeredAt",
      greatest(w.last_seen_at, d.seen_at) AS "lastSeenAt"
    FROM worker w LEFT JOIN desk d ON d.worker_id = w.id
    WHERE w.removed_at IS NULL AND ($2::boolean OR w.owner_id = $1) AND ($3::text IS NULL OR w.id > $3)
    ORDER BY w.id LIMIT $4`,
};

/** A page of the workers that were not removed, by id. */
export function readWorkers(tx: Tx, viewer: Viewer, after: string | null, limit: number): Promise<WorkerView[]> {
  return tx.query<WorkerView>(readPage, [viewer.account, viewer.all, after, limit]);
}
