/** Desks and what lies on them: the first locks of every transaction of the exchange. */

import type {
  ExchangeRow,
  HeldReplica,
  OfferRow,
  ReplicaGlimpse,
  ReplicaId,
  RequestId,
  UnitId,
  WorkDesk,
  WorkerId,
} from '@assay/core';
import { assert } from '@assay/core';
import type { Tx } from '../database.ts';
import { textList } from './set-based.ts';

interface DeskRow {
  readonly worker_id: WorkerId;
  /** Ids joined by commas, which costs less to read than an array. */
  readonly held: string;
  readonly held_units: string;
  readonly now: Date;
}

export interface OpenedDesks {
  readonly nowMs: number;
  readonly desks: readonly WorkDesk[];
}

const deskColumns = `worker_id, array_to_string(held, ',') AS held, array_to_string(held_units, ',') AS held_units,
  assay_now() AS now`;

const lockDesks = {
  name: 'work.lock_desks',
  text: `SELECT ${deskColumns} FROM desk
    WHERE worker_id = ANY($1) ORDER BY worker_id FOR NO KEY UPDATE`,
};

const answeredBefore = {
  name: 'work.replays',
  text: `SELECT id, worker_id AS worker, body_sha256 AS "bodySha256", offers, refused
    FROM exchange WHERE id = ANY($1)`,
};

/** Locks the desks of `workers`, making those that are missing, and reads which of `requests` were answered before. */
export async function openDesks(
  tx: Tx,
  workers: readonly WorkerId[],
  requests: readonly RequestId[],
): Promise<OpenedDesks & { readonly replays: readonly ExchangeRow[] }> {
  const [found, replays] = await lockAndRead(tx, workers, requests);
  if (found.length === new Set(workers).size) return { ...opened(found), replays };
  await tx.query(
    `INSERT INTO desk (worker_id, seen_at) SELECT id, assay_now() FROM unnest($1::text[]) AS one (id) ORDER BY id
     ON CONFLICT (worker_id) DO NOTHING`,
    [workers],
  );
  // Read again, now that all desks are locked: whoever made one of them may have answered its worker meanwhile.
  const [all, answered] = await lockAndRead(tx, workers, requests);
  return { ...opened(all), replays: answered };
}

/** Both travel together; the reading statement begins when the desks that exist are locked. */
function lockAndRead(
  tx: Tx,
  workers: readonly WorkerId[],
  requests: readonly RequestId[],
): Promise<[DeskRow[], ExchangeRow[]]> {
  return Promise.all([
    tx.query<DeskRow>(lockDesks, [textList(workers)]),
    requests.length === 0 ? [] : tx.query<ExchangeRow>(answeredBefore, [textList(requests)]),
  ]);
}

/**
 * Locks desks of workers that were silent for `silenceMs` and hold something that is over, the longest silent first.
 * Those that hold only what may wait are left out, so that many of them keep nobody else from being looked at.
 */
export async function silentDesks(tx: Tx, silenceMs: number, limit: number): Promise<OpenedDesks> {
  const rows = await tx.query<DeskRow>(
    {
      name: 'work.silent_desks',
      text: `SELECT ${deskColumns} FROM desk
        WHERE held <> '{}' AND seen_at < assay_now() - $1 * interval '1 millisecond'
          AND EXISTS (SELECT FROM replica JOIN unit ON unit.id = unit_id WHERE replica.id = ANY(held)
            AND (replica.state NOT IN ('leased', 'committed') OR replica.state = 'leased' AND lease_until < assay_now()
              OR replica.state = 'committed' AND unit.state = 'revealing' AND reveal_due_at < assay_now()))
        ORDER BY seen_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
    },
    [silenceMs, limit],
  );
  return rows.length === 0 ? { nowMs: 0, desks: [] } : opened(rows);
}

/** What became of held replicas and their units, without locks. */
export function glimpse(tx: Tx, replicas: readonly ReplicaId[], nowMs: number): Promise<ReplicaGlimpse[]> {
  return tx.query<ReplicaGlimpse>(
    {
      name: 'work.glimpse',
      text: `SELECT replica.id AS replica, unit_id AS unit, replica.state, unit.state AS "unitState",
          CASE replica.state WHEN 'leased' THEN lease_until < to_timestamp($2::float8 / 1000)
            WHEN 'committed' THEN unit.state = 'revealing' AND reveal_due_at < to_timestamp($2::float8 / 1000)
            ELSE false END AS overdue, run_until < to_timestamp($2::float8 / 1000) AS "isOver"
        FROM replica JOIN unit ON unit.id = unit_id WHERE replica.id = ANY($1)`,
    },
    [textList(replicas), nowMs],
  );
}

/** Replicas that were offered before, as their request's replay offers them again. */
export async function offered(tx: Tx, replicas: readonly ReplicaId[]): Promise<OfferRow[]> {
  const rows = await tx.query<Omit<OfferRow, 'leaseUntilMs'> & { leaseUntil: Date }>(
    `SELECT replica.id AS replica, unit.id AS unit, unit.job_id AS job, kind, ordinal,
       replica.machine_class AS "machineClass", lease_until AS "leaseUntil"
     FROM replica JOIN unit ON unit.id = unit_id WHERE replica.id = ANY($1)`,
    [replicas],
  );
  return rows.map(({ leaseUntil, ...row }) => ({ ...row, leaseUntilMs: leaseUntil.getTime() }));
}

function opened(rows: readonly DeskRow[]): OpenedDesks {
  const [first] = rows;
  assert(first !== undefined, 'every asked desk exists');
  return { nowMs: first.now.getTime(), desks: rows.map((row) => ({ worker: row.worker_id, held: heldOf(row) })) };
}

function heldOf(row: DeskRow): HeldReplica[] {
  if (row.held === '') return [];
  const units = row.held_units.split(',') as UnitId[];
  return (row.held.split(',') as ReplicaId[]).map((replica, index) => {
    const unit = units[index];
    assert(unit !== undefined, 'a desk names the unit of each replica');
    return { replica, unit };
  });
}
