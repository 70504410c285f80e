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

const unitColumns = `id, job_id AS job, ordinal, kind, position, state, planned, wanted,
  patience_over AS "patienceOver", machine_class AS "machineClass"`;

const lockUnitRows = {
  name: 'work.lock_units',
  text: `SELECT ${unitColumns}, coalesce(reveal_due_at < to_timestamp($2 / 1000.0), false) AS overdue
    FROM unit WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`,
};

const replicasOfUnits = {
  name: 'work.replicas_of_units',
  text: `SELECT id, unit_id AS unit, worker_id AS worker, owner_id AS owner, state,
      state = 'leased' AND lease_until < to_timestamp($2 / 1000.0) AS overdue,
      commitment, digest, exit_code AS "exitCode", metrics_sha256 AS "metricsSha256", metric
    FROM replica WHERE unit_id = ANY($1)`,
};

/** Locks `units` in the order of their ids and reads all their replicas. */
export async function lockUnits(tx: Tx, units: readonly UnitId[], nowMs: number): Promise<LoadedUnits> {
  if (units.length === 0) return { units: [], replicas: [] };
  // The second statement begins when the first one holds its locks, so it sees what those before us committed.
  const [rows, replicas] = await Promise.all([
    tx.query<UnitRow>(lockUnitRows, [units, nowMs]),
    tx.query<ReplicaRow>(replicasOfUnits, [units, nowMs]),
  ]);
  return { units: rows, replicas };
}

/** Locks units whose replacements nobody claimed for `patienceMs`, and reads their replicas. */
export async function impatientUnits(
  tx: Tx,
  patienceMs: number,
  limit: number,
): Promise<LoadedUnits & { readonly nowMs: number }> {
  const rows = await tx.query<UnitRow & { now: Date }>(
    {
      name: 'work.impatient_units',
      text: `SELECT ${unitColumns}, false AS overdue, assay_now() AS now FROM unit
        WHERE wanted > 0 AND NOT patience_over AND wanted_since < assay_now() - $1 * interval '1 millisecond'
        ORDER BY wanted_since LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`,
    },
    [patienceMs, limit],
  );
  const nowMs = rows[0]?.now.getTime() ?? 0;
  const units = rows.map(({ now: _now, ...unit }) => unit);
  if (units.length === 0) return { nowMs, units, replicas: [] };
  return { nowMs, units, replicas: await tx.query<ReplicaRow>(replicasOfUnits, [units.map((unit) => unit.id), nowMs]) };
}

const poolHead = {
  name: 'work.pool',
  text: `SELECT ${unitColumns}, false AS overdue FROM unit WHERE wanted > 0 AND position > $2
    ORDER BY position LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
};

const poolFor = {
  name: 'work.pool_for',
  text: `SELECT ${unitColumns}, false AS overdue FROM unit
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
export async function takePool(tx: Tx, query: PoolQuery): Promise<OpenUnits> {
  const { limit, after = -1n, taker } = query;
  const units = taker
    ? await tx.query<UnitRow>(poolFor, [
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
    : await tx.query<UnitRow>(poolHead, [limit, after]);
  const begun = units.filter((unit) => unit.planned > unit.wanted).map((unit) => unit.id);
  const taken = begun.length === 0 ? [] : await tx.query<OpenUnits['taken'][number]>(takenOfUnits, [begun]);
  return { units, taken };
}
