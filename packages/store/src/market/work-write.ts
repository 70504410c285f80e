/** Writing what one transaction of the exchange changed: one statement a kind of change, whatever the number of rows. */

import type { ClaimRow, CommitRow, RevealRow, WorkChanges } from '@assay/core';
import type { Tx } from '../database.ts';
import { columnsOf } from './set-based.ts';
import { writeUnits } from './work-progress.ts';

/** Stores every change below jobs; all statements leave at once and run in this order. */
export async function writeChanges(tx: Tx, changes: WorkChanges): Promise<void> {
  await Promise.all([
    writeExchanges(tx, changes),
    writeClaims(tx, changes.claims, changes),
    writeCommits(tx, changes.commits, changes),
    writeReveals(tx, changes.reveals, changes),
    writeEnds(tx, changes),
    writeDesks(tx, changes),
    writeUnits(tx, changes),
  ]);
}

const insertExchanges = {
  name: 'work.insert_exchanges',
  text: `INSERT INTO exchange (id, worker_id, sent_at_ms, received_at, root, body_sha256, signature, leaves, offers, refused)
    SELECT id, worker, sent, to_timestamp($1 / 1000.0), root, body, signature, decode(leaves, 'hex'),
      string_to_array(offers, ','), refused
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[])
      AS one (id, worker, sent, root, body, signature, leaves, offers, refused)`,
};

const updateOffers = {
  name: 'work.update_offers',
  text: `UPDATE exchange SET offers = string_to_array(one.offers, ',')
    FROM unnest($1::text[], $2::text[]) AS one (id, offers) WHERE exchange.id = one.id`,
};

async function writeExchanges(tx: Tx, { exchanges, lateOffers, nowMs }: WorkChanges): Promise<void> {
  const stored: Promise<unknown>[] = [];
  if (exchanges.length > 0) {
    const rows = tx.query(insertExchanges, [
      nowMs,
      ...columnsOf(exchanges, [
        (one) => one.id,
        (one) => one.worker,
        (one) => one.sentAtMs,
        (one) => one.statementsRoot,
        (one) => one.bodySha256,
        (one) => one.signature,
        (one) => one.leafHashes,
        (one) => one.offers.join(),
        (one) => JSON.stringify(one.refused),
      ]),
    ]);
    stored.push(rows);
  }
  if (lateOffers.length > 0) {
    stored.push(tx.query(updateOffers, columnsOf(lateOffers, [(one) => one.request, (one) => one.offers.join()])));
  }
  await Promise.all(stored);
}

const insertReplicas = {
  name: 'work.insert_replicas',
  text: `INSERT INTO replica (id, unit_id, job_id, worker_id, owner_id, payout_account_id, hub_id, network_block,
      machine_class, attempt, claimed_at, lease_until)
    SELECT id, unit, job, worker, owner, payout, hub, network, class, attempt, to_timestamp($1 / 1000.0),
      to_timestamp($2 / 1000.0)
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::text[], $12::smallint[])
      AS one (id, unit, job, worker, owner, payout, hub, network, class, attempt)`,
};

async function writeClaims(tx: Tx, claims: readonly ClaimRow[], { nowMs, leaseMs }: WorkChanges): Promise<void> {
  if (claims.length === 0) return;
  await tx.query(insertReplicas, [
    nowMs,
    nowMs + leaseMs,
    ...columnsOf(claims, [
      (one) => one.replica,
      (one) => one.unit,
      (one) => one.job,
      (one) => one.worker,
      (one) => one.owner,
      (one) => one.payoutAccount,
      (one) => one.hub,
      (one) => one.networkBlock,
      (one) => one.machineClass,
      (one) => one.attempt,
    ]),
  ]);
}

const updateCommits = {
  name: 'work.update_commits',
  text: `UPDATE replica SET state = 'committed', commitment = one.commitment, commit_request = one.request,
      commit_leaf = one.leaf, committed_at = to_timestamp($1 / 1000.0)
    FROM unnest($2::text[], $3::text[], $4::text[], $5::int[]) AS one (id, commitment, request, leaf)
    WHERE replica.id = one.id`,
};

async function writeCommits(tx: Tx, commits: readonly CommitRow[], { nowMs }: WorkChanges): Promise<void> {
  if (commits.length === 0) return;
  const columns = columnsOf(commits, [
    (one) => one.replica,
    (one) => one.commitment,
    (one) => one.request,
    (one) => one.leaf,
  ]);
  await tx.query(updateCommits, [nowMs, ...columns]);
}

const updateReveals = {
  name: 'work.update_reveals',
  text: `UPDATE replica SET state = one.state, reveal_request = one.request, reveal_leaf = one.leaf, nonce = one.nonce,
      digest = one.digest, exit_code = one.exit_code, metrics_sha256 = one.metrics_sha256, metrics = one.metrics,
      metric = one.metric, outputs = one.outputs, wall_ms = one.wall_ms, cpu_ms = one.cpu_ms, peak_bytes = one.peak_bytes,
      revealed_at = to_timestamp($1 / 1000.0),
      ended_at = CASE WHEN one.state <> 'revealed' THEN to_timestamp($1 / 1000.0) END
    FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[], $9::text[],
      $10::text[], $11::text[], $12::jsonb[], $13::bigint[], $14::bigint[], $15::bigint[])
      AS one (id, state, request, leaf, nonce, digest, exit_code, metrics_sha256, metrics, metric, outputs, wall_ms,
        cpu_ms, peak_bytes)
    WHERE replica.id = one.id`,
};

async function writeReveals(tx: Tx, reveals: readonly RevealRow[], { nowMs }: WorkChanges): Promise<void> {
  if (reveals.length === 0) return;
  const columns = columnsOf(reveals, [
    (one) => one.replica,
    (one) => one.state,
    (one) => one.request,
    (one) => one.leaf,
    (one) => one.nonce,
    (one) => one.digest,
    (one) => one.exitCode,
    (one) => one.metricsSha256,
    (one) => one.metricsText,
    (one) => one.metric,
    (one) => JSON.stringify(one.outputs),
    (one) => one.wallMs,
    (one) => one.cpuMs,
    (one) => one.peakBytes,
  ]);
  await tx.query(updateReveals, [nowMs, ...columns]);
}

const updateEnds = {
  name: 'work.update_ends',
  text: `UPDATE replica SET state = one.state, reason = one.reason, ended_at = to_timestamp($1 / 1000.0)
    FROM unnest($2::text[], $3::text[], $4::text[]) AS one (id, state, reason) WHERE replica.id = one.id`,
};

const renewLeases = {
  name: 'work.renew_leases',
  text: `UPDATE replica SET lease_until = to_timestamp($1 / 1000.0) WHERE id = ANY($2) AND state = 'leased'`,
};

async function writeEnds(tx: Tx, { ends, renewed, nowMs, leaseMs }: WorkChanges): Promise<void> {
  const stored: Promise<unknown>[] = [];
  if (ends.length > 0) {
    const columns = columnsOf(ends, [(one) => one.replica, (one) => one.state, (one) => one.reason]);
    stored.push(tx.query(updateEnds, [nowMs, ...columns]));
  }
  if (renewed.length > 0) stored.push(tx.query(renewLeases, [nowMs + leaseMs, renewed]));
  await Promise.all(stored);
}

const updateDesks = {
  name: 'work.update_desks',
  text: `UPDATE desk SET held = string_to_array(one.held, ','), held_units = string_to_array(one.units, ','),
      seen_at = CASE WHEN one.seen THEN to_timestamp($1 / 1000.0) ELSE seen_at END
    FROM unnest($2::text[], $3::text[], $4::text[], $5::bool[]) AS one (worker, held, units, seen)
    WHERE worker_id = one.worker`,
};

async function writeDesks(tx: Tx, { desks, nowMs }: WorkChanges): Promise<void> {
  if (desks.length === 0) return;
  const columns = columnsOf(desks, [
    (one) => one.worker,
    (one) => one.held.map((held) => held.replica).join(),
    (one) => one.held.map((held) => held.unit).join(),
    (one) => one.seen === true,
  ]);
  await tx.query(updateDesks, [nowMs, ...columns]);
}
