/** Writing what one transaction of the exchange changed: one statement a kind of change, whatever the number of rows. */

import type { ClaimRow, CommitRow, EndRow, NewExchange, RevealRow, WorkChanges, WorkDesk } from '@assay/core';
import type { Tx } from '../database.ts';
import { rowSet } from './set-based.ts';
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

const exchangeRows = rowSet<NewExchange>({
  id: ['text', (one) => one.id],
  worker: ['text', (one) => one.worker],
  sent: ['bigint', (one) => one.sentAtMs],
  root: ['text', (one) => one.statementsRoot],
  body: ['text', (one) => one.bodySha256],
  signature: ['text', (one) => one.signature],
  leaves: ['text', (one) => one.leafHashes],
  offers: ['text', (one) => one.offers.join()],
  refused: ['jsonb', (one) => JSON.stringify(one.refused)],
});

const insertExchanges = {
  name: 'work.insert_exchanges',
  text: `INSERT INTO exchange (id, worker_id, sent_at_ms, received_at, root, body_sha256, signature, leaves, offers, refused)
    SELECT id, worker, sent, to_timestamp($1::float8 / 1000), root, body, signature, decode(leaves, 'hex'),
      string_to_array(offers, ','), refused
    FROM ${exchangeRows.table(2)} AS one`,
};

const offerRows = rowSet<WorkChanges['lateOffers'][number]>({
  id: ['text', (one) => one.request],
  offers: ['text', (one) => one.offers.join()],
});

const updateOffers = {
  name: 'work.update_offers',
  text: `UPDATE exchange SET offers = string_to_array(one.offers, ',')
    FROM ${offerRows.table(1)} AS one WHERE exchange.id = one.id`,
};

async function writeExchanges(tx: Tx, { exchanges, lateOffers, nowMs }: WorkChanges): Promise<void> {
  const stored: Promise<unknown>[] = [];
  if (exchanges.length > 0) stored.push(tx.query(insertExchanges, [nowMs, ...exchangeRows.values(exchanges)]));
  if (lateOffers.length > 0) stored.push(tx.query(updateOffers, offerRows.values(lateOffers)));
  await Promise.all(stored);
}

const claimRows = rowSet<ClaimRow>({
  id: ['text', (one) => one.replica],
  unit: ['text', (one) => one.unit],
  job: ['text', (one) => one.job],
  worker: ['text', (one) => one.worker],
  owner: ['text', (one) => one.owner],
  payout: ['text', (one) => one.payoutAccount],
  hub: ['text', (one) => one.hub],
  network: ['text', (one) => one.networkBlock],
  class: ['text', (one) => one.machineClass],
  attempt: ['smallint', (one) => one.attempt],
  run_until: ['bigint', (one) => one.runUntilMs],
});

const insertReplicas = {
  name: 'work.insert_replicas',
  text: `INSERT INTO replica (id, unit_id, job_id, worker_id, owner_id, payout_account_id, hub_id, network_block,
      machine_class, attempt, claimed_at, lease_until, run_until)
    SELECT id, unit, job, worker, owner, payout, hub, network, class, attempt, to_timestamp($1::float8 / 1000),
      to_timestamp($2::float8 / 1000), to_timestamp(run_until / 1000.0)
    FROM ${claimRows.table(3)} AS one`,
};

async function writeClaims(tx: Tx, claims: readonly ClaimRow[], { nowMs, leaseMs }: WorkChanges): Promise<void> {
  if (claims.length > 0) await tx.query(insertReplicas, [nowMs, nowMs + leaseMs, ...claimRows.values(claims)]);
}

const commitRows = rowSet<CommitRow>({
  id: ['text', (one) => one.replica],
  commitment: ['text', (one) => one.commitment],
  request: ['text', (one) => one.request],
  leaf: ['int', (one) => one.leaf],
});

const updateCommits = {
  name: 'work.update_commits',
  text: `UPDATE replica SET state = 'committed', commitment = one.commitment, commit_request = one.request,
      commit_leaf = one.leaf, committed_at = to_timestamp($1::float8 / 1000)
    FROM ${commitRows.table(2)} AS one WHERE replica.id = one.id`,
};

async function writeCommits(tx: Tx, commits: readonly CommitRow[], { nowMs }: WorkChanges): Promise<void> {
  if (commits.length > 0) await tx.query(updateCommits, [nowMs, ...commitRows.values(commits)]);
}

const revealRows = rowSet<RevealRow>({
  id: ['text', (one) => one.replica],
  state: ['text', (one) => one.state],
  request: ['text', (one) => one.request],
  leaf: ['int', (one) => one.leaf],
  nonce: ['text', (one) => one.nonce],
  digest: ['text', (one) => one.digest],
  exit_code: ['int', (one) => one.exitCode],
  metrics_sha256: ['text', (one) => one.metricsSha256],
  metrics: ['text', (one) => one.metricsText],
  metric: ['text', (one) => one.metric],
  outputs: ['jsonb', (one) => JSON.stringify(one.outputs)],
  wall_ms: ['bigint', (one) => one.wallMs],
  cpu_ms: ['bigint', (one) => one.cpuMs],
  peak_bytes: ['bigint', (one) => one.peakBytes],
});

const updateReveals = {
  name: 'work.update_reveals',
  text: `UPDATE replica SET state = one.state, reveal_request = one.request, reveal_leaf = one.leaf, nonce = one.nonce,
      digest = one.digest, exit_code = one.exit_code, metrics_sha256 = one.metrics_sha256, metrics = one.metrics,
      metric = one.metric, outputs = one.outputs, wall_ms = one.wall_ms, cpu_ms = one.cpu_ms, peak_bytes = one.peak_bytes,
      revealed_at = to_timestamp($1::float8 / 1000),
      ended_at = CASE WHEN one.state <> 'revealed' THEN to_timestamp($1::float8 / 1000) END
    FROM ${revealRows.table(2)} AS one WHERE replica.id = one.id`,
};

async function writeReveals(tx: Tx, reveals: readonly RevealRow[], { nowMs }: WorkChanges): Promise<void> {
  if (reveals.length > 0) await tx.query(updateReveals, [nowMs, ...revealRows.values(reveals)]);
}

const endRows = rowSet<EndRow>({
  id: ['text', (one) => one.replica],
  state: ['text', (one) => one.state],
  reason: ['text', (one) => one.reason],
});

const updateEnds = {
  name: 'work.update_ends',
  text: `UPDATE replica SET state = one.state, reason = one.reason, ended_at = to_timestamp($1::float8 / 1000)
    FROM ${endRows.table(2)} AS one WHERE replica.id = one.id`,
};

const renewLeases = {
  name: 'work.renew_leases',
  text: `UPDATE replica SET lease_until = least(to_timestamp($1::float8 / 1000), run_until)
    WHERE id = ANY($2) AND state = 'leased'`,
};

async function writeEnds(tx: Tx, { ends, renewed, nowMs, leaseMs }: WorkChanges): Promise<void> {
  const stored: Promise<unknown>[] = [];
  if (ends.length > 0) stored.push(tx.query(updateEnds, [nowMs, ...endRows.values(ends)]));
  if (renewed.length > 0) stored.push(tx.query(renewLeases, [nowMs + leaseMs, renewed]));
  await Promise.all(stored);
}

const deskRows = rowSet<WorkDesk>({
  worker: ['text', (one) => one.worker],
  held: ['text', (one) => one.held.map((held) => held.replica).join()],
  units: ['text', (one) => one.held.map((held) => held.unit).join()],
  seen: ['bool', (one) => one.seen === true],
});

const updateDesks = {
  name: 'work.update_desks',
  text: `UPDATE desk SET held = string_to_array(one.held, ','), held_units = string_to_array(one.units, ','),
      seen_at = CASE WHEN one.seen THEN to_timestamp($1::float8 / 1000) ELSE seen_at END
    FROM ${deskRows.table(2)} AS one WHERE worker_id = one.worker`,
};

async function writeDesks(tx: Tx, { desks, nowMs }: WorkChanges): Promise<void> {
  if (desks.length > 0) await tx.query(updateDesks, [nowMs, ...deskRows.values(desks)]);
}
