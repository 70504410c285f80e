/** Units under locks, with what is known of their replicas. */

import {
  limits,
  type LoadedUnits,
  type OpenUnits,
  type PoolQuery,
  type ReplicaRow,
  type UnitId,
  type UnitRow,
} from '@assay/core';
import type { Tx } from '../database.ts';
import { textList } from './set-based.ts';
import type { HeldUnit, UnitTurn } from './unit-cache.ts';

const unitColumns = `id, job_id AS job, ordinal, kind, position, state, planned, wanted,
  patience_over AS "patienceOver", machine_class AS "machineClass",
  (extract(epoch FROM reveal_due_at) * 1000)::float8 AS "revealDueMs"`;

interface StoredUnit extends Omit<UnitRow, 'overdue'> {
  readonly revealDueMs: number | null;
}

const lockOnly = {
  name: 'work.lock_units',
  text: `SELECT count(*) FROM (SELECT FROM unit WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) AS locked`,
};

const unitRows = { name: 'work.units', text: `SELECT ${unitColumns} FROM unit WHERE id = ANY($1)` };

const replicasOfUnits = {
  name: 'work.replicas_of_units',
  text: `SELECT id, unit_id AS unit, worker_id AS worker, owner_id AS owner, machine_class AS "machineClass", state,
      state = 'leased' AND lease_until < to_timestamp($2::float8 / 1000) AS overdue,
      commitment, digest, exit_code AS "exitCode", metrics_sha256 AS "metricsSha256", metric
    FROM replica WHERE unit_id = ANY($1)`,
};

/** Locks `units` in the order of their ids and reads those with all their replicas that are not remembered. */
export async function lockUnits(
  tx: Tx,
  turn: UnitTurn,
  { units, nowMs, late }: { units: readonly UnitId[]; nowMs: number; late?: ReadonlySet<UnitId> },
): Promise<LoadedUnits> {
  if (units.length === 0) return { units: [], replicas: [] };
  turn.take(units, late);
  // The reading statements begin when the first one holds its locks, so they see what those before us committed.
  const [, loaded] = await Promise.all([
    tx.query(lockOnly, [textList(units)]),
    turn.unread(units).length === units.length ? readUnits(tx, units, nowMs) : undefined,
  ]);
  const unread = turn.unread(units);
  const read = loaded ?? (unread.length === 0 ? [] : await readUnits(tx, unread, nowMs));
  for (const unit of read) turn.hold(unit);
  return turn.rows(units, nowMs);
}

async function readUnits(tx: Tx, units: readonly UnitId[], nowMs: number): Promise<HeldUnit[]> {
  const [rows, replicas] = await Promise.all([
    tx.query<StoredUnit>(unitRows, [textList(units)]),
    tx.query<ReplicaRow>(replicasOfUnits, [textList(units), nowMs]),
  ]);
  const byUnit = Map.groupBy(replicas, (one) => one.unit);
  return rows.map((row) => heldUnit(row, byUnit.get(row.id) ?? []));
}

function heldUnit({ revealDueMs, ...row }: StoredUnit, replicas: ReplicaRow[] | undefined): HeldUnit {
  return { row: { ...row, overdue: false }, revealDueMs, replicas };
}

/** Locks units whose replacements nobody claimed for `patienceMs`, and reads their replicas. */
export async function impatientUnits(
  tx: Tx,
  turn: UnitTurn,
  patienceMs: number,
  limit: number,
): Promise<LoadedUnits & { readonly nowMs: number }> {
  const found = await tx.query<{ id: UnitId; now: Date }>(
    {
      name: 'work.impatient_units',
      text: `SELECT id, assay_now() AS now FROM unit
        WHERE wanted > 0 AND NOT patience_over AND wanted_since < assay_now() - $1 * interval '1 millisecond'
        ORDER BY wanted_since LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
    },
    [patienceMs, limit],
  );
  const nowMs = found[0]?.now.getTime() ?? 0;
  const units = found.map((unit) => unit.id);
  return { nowMs, ...(await lockUnits(tx, turn, { units, nowMs })) };
}

// NOT IN a query is hashed once; an array would be searched for each row.
const poolHead = {
  name: 'work.pool',
  text: `SELECT ${unitColumns} FROM unit
    WHERE wanted > 0 AND position > $2 AND id NOT IN (SELECT unnest($3::text[]))
    ORDER BY position LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
};

const poolFor = {
  name: 'work.pool_for',
  text: `SELECT ${unitColumns} FROM unit
    WHERE wanted > 0 AND position > $2 AND job_id = ANY($3) AND (machine_class IS NULL OR machine_class = ANY($4))
      AND NOT EXISTS (SELECT FROM replica WHERE unit_id = unit.id AND state NOT IN ('lost', 'withdrawn')
        AND (worker_id = $5 OR owner_id = $6 OR payout_account_id = $7 OR hub_id = $8 OR network_block = $9))
      AND (SELECT count(*) FROM replica WHERE unit_id = unit.id AND owner_id = $6) < $10
    ORDER BY position LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
};

const takenOfUnits = {
  name: 'work.taken_of_units',
  text: `SELECT unit_id AS unit, worker_id AS worker, owner_id AS owner, payout_account_id AS "payoutAccount",
      hub_id AS hub, network_block AS "networkBlock", state IN ('lost', 'withdrawn') AS lost
    FROM replica WHERE unit_id = ANY($1)`,
};

/** Locks open units in the order of the pool and reads who took a replica of them before. */
export async function takePool(tx: Tx, turn: UnitTurn, query: PoolQuery): Promise<OpenUnits> {
  const { limit, after = -1n, except = [], taker } = query;
  const found = taker
    ? await tx.query<StoredUnit>(poolFor, [
        limit,
        after,
        taker.jobs,
        taker.machineClasses,
        taker.keys.worker,
        taker.keys.owner,
        taker.keys.payoutAccount,
        taker.keys.hub,
        taker.keys.networkBlock,
        limits.ownerLosses,
      ])
    : await tx.query<StoredUnit>(poolHead, [limit, after, textList(except)]);
  turn.take(found.map((unit) => unit.id));
  const units = found.map((unit) => turn.hold(heldUnit(unit, unit.planned === unit.wanted ? [] : undefined)).row);
  const begun = found.filter((unit) => unit.planned > unit.wanted).map((unit) => unit.id);
  const taken = begun.length === 0 ? [] : await tx.query<OpenUnits['taken'][number]>(takenOfUnits, [textList(begun)]);
  return { units, taken };
}
