/** What a worker's results say about it. */

import type { WorkerId } from '@assay/core';
import type { Tx } from '../database.ts';

/** How replicas of a worker ended, to be added to what it has. */
export interface ReputationChange {
  readonly id: WorkerId;
  readonly agreed: number;
  readonly disagreed: number;
  readonly lost: number;
}

/** Adds to the counters of many workers. */
export async function addReputation(tx: Tx, changes: readonly ReputationChange[]): Promise<void> {
  if (changes.length === 0) return;
  await lockWorkers(tx, changes);
  await tx.query(
    {
      name: 'worker_reputation',
      text: `UPDATE worker w SET agreed = w.agreed + c.agreed, disagreed = w.disagreed + c.disagreed, lost = w.lost + c.lost
        FROM (SELECT id, sum(agreed)::bigint AS agreed, sum(disagreed)::bigint AS disagreed, sum(lost)::bigint AS lost
          FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (id, agreed, disagreed, lost) GROUP BY id) AS c
        WHERE w.id = c.id`,
    },
    [
      changes.map((change) => change.id),
      changes.map((change) => change.agreed),
      changes.map((change) => change.disagreed),
      changes.map((change) => change.lost),
    ],
  );
}

/** In id order, so that two writers queue and do not deadlock. */
async function lockWorkers(tx: Tx, workers: readonly { readonly id: WorkerId }[]): Promise<void> {
  await tx.query({ name: 'worker_lock', text: 'SELECT FROM worker WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE' }, [
    workers.map((one) => one.id),
  ]);
}
