/** What a worker says about its replicas, applied to the tick by the rules of replicas. Pure. */

import {
  commitmentOf,
  sha256Hex,
  treeDigest,
  unmergeablePath,
  type ErrorCode,
  type RefusedItem,
  type ReplicaId,
  type ReplicaRow,
  type RequestId,
  type Sha256,
  type Sha256Hex,
  type UnitRow,
  type WorkerId,
} from '@assay/core';
import type { BodyCommit, BodyReveal, ExchangeBody } from './exchange-body.ts';
import { metricIn } from './metrics-file.ts';
import { jobChange, touchUnit, type TickState } from './tick-state.ts';

/** A request as the tick hears it. */
export interface Heard {
  readonly request: RequestId;
  readonly worker: WorkerId;
  readonly body: ExchangeBody;
  /** The digest of each reveal's outputs, in body order. */
  readonly digests: readonly Sha256Hex[];
  /** The leaf hashes of commits and reveals, in body order. */
  readonly leafHashes: readonly Sha256Hex[];
}

/** Outputs that were uploaded, as `replica/sha256/size`. */
export type Uploads = ReadonlySet<string>;

/** Applies commits, reveals, failures and renewals in this order; returns what was refused. */
export function hear(sha256: Sha256, state: TickState, heard: Heard, uploads: Uploads): RefusedItem[] {
  const refused: RefusedItem[] = [];
  const note = (replica: ReplicaId, code: ErrorCode | undefined): void => {
    if (code !== undefined) refused.push({ replica, code });
  };
  heard.body.commits.forEach((commit, leaf) => note(commit.replica, hearCommit(state, heard, commit, leaf)));
  heard.body.reveals.forEach((reveal, index) => {
    note(reveal.replica, hearReveal(sha256, state, heard, uploads, reveal, index));
  });
  for (const failure of heard.body.failures) note(failure.replica, hearFailure(state, heard, failure));
  hearRunning(state, heard);
  return refused;
}

function hearCommit(state: TickState, heard: Heard, commit: BodyCommit, leaf: number): ErrorCode | undefined {
  const held = findHeld(state, heard.worker, commit.replica);
  if (typeof held === 'string') return held;
  const { replica } = held;
  if (replica.state === 'committed' && replica.commitment === commit.commitment) return undefined;
  if (replica.state !== 'leased') return 'replica.wrong_state';
  replica.state = 'committed';
  replica.commitment = commit.commitment;
  state.changes.commits.push({ ...commit, request: heard.request, leaf });
  state.toJudge.add(replica.unit);
  return undefined;
}

function hearReveal(
  sha256: Sha256,
  state: TickState,
  heard: Heard,
  uploads: Uploads,
  reveal: BodyReveal,
  index: number,
): ErrorCode | undefined {
  const held = findHeld(state, heard.worker, reveal.replica);
  if (typeof held === 'string') return held;
  const { replica, unit } = held;
  if (replica.state !== 'committed') return 'replica.wrong_state';
  if (unit.state !== 'revealing') return 'replica.reveal_closed';
  const digest = heard.digests[index];
  if (digest === undefined || replica.commitment !== commitmentIn(sha256, heard.worker, unit, reveal, digest)) {
    return 'replica.commitment_mismatch';
  }
  const missing = reveal.outputs.some(
    (file) => file.sizeBytes > 0 && !uploads.has(`${replica.id}/${file.sha256}/${file.sizeBytes}`),
  );
  if (missing) return 'replica.output_missing';
  if (!fitsMerge(state, unit, reveal)) return 'result.malformed';
  const metricsSha256 = metricsHash(sha256, reveal);
  if (metricsSha256 !== null && !lists(reveal, metricsSha256)) return 'result.malformed';
  replica.state = 'revealed';
  replica.digest = digest;
  replica.exitCode = reveal.exitCode;
  replica.metricsSha256 = metricsSha256;
  const leaf = heard.body.commits.length + index;
  const leafHash = heard.leafHashes[leaf];
  if (leafHash) replica.leaf = leafHash;
  replica.metric = metricIn(state.jobs.get(unit.job), unit.kind, reveal);
  state.changes.reveals.set(replica.id, {
    replica: replica.id,
    request: heard.request,
    leaf,
    nonce: reveal.nonce,
    digest,
    exitCode: reveal.exitCode,
    metricsSha256,
    metricsText: reveal.metrics,
    metric: replica.metric,
    outputs: reveal.outputs,
    ...reveal.usage,
    state: 'revealed',
  });
  if (reveal.breach !== undefined) {
    state.changes.breaches.push({ replica: replica.id, job: unit.job, what: reveal.breach });
  }
  endRun(state, heard.worker, replica, unit);
  return undefined;
}

function hearFailure(
  state: TickState,
  heard: Heard,
  failure: { readonly replica: ReplicaId; readonly reason: string },
): ErrorCode | undefined {
  const held = findHeld(state, heard.worker, failure.replica);
  if (typeof held === 'string') return held;
  loseReplica(state, heard.worker, held.replica, held.unit, failure.reason);
  return undefined;
}

/** Renews leases of replicas whose units are loaded, which are those that might be overdue, and of all others by id. */
function hearRunning(state: TickState, heard: Heard): void {
  const desk = state.desks.get(heard.worker);
  for (const id of heard.body.running) {
    const replica = state.replicas.get(id);
    if (desk?.has(id) && (replica === undefined || replica.state === 'leased')) state.changes.renewed.push(id);
  }
}

/** Loses what ran out of time: a lease that was not renewed, or a result that was not shown when its unit opened. */
export function loseOverdue(state: TickState, worker: WorkerId, spared: ReadonlySet<ReplicaId>): void {
  for (const [id, unitId] of state.desks.get(worker) ?? []) {
    const replica = state.replicas.get(id);
    const unit = state.units.get(unitId);
    if (replica === undefined || unit === undefined) continue;
    if (replica.state === 'leased' && replica.overdue && !spared.has(id)) {
      loseReplica(state, worker, replica, unit, 'the lease ran out');
    } else if (replica.state === 'committed' && unit.state === 'revealing' && unit.overdue) {
      loseReplica(state, worker, replica, unit, 'the result was not shown in time');
    }
  }
}

/** Takes a leased or committed replica from its worker for good. */
export function loseReplica(
  state: TickState,
  worker: WorkerId,
  replica: ReplicaRow,
  unit: UnitRow,
  reason: string,
): void {
  replica.state = 'lost';
  state.changes.ends.push({ replica: replica.id, state: 'lost', reason });
  // Who leaves nothing behind must not have shut out every worker of another class.
  if (unit.machineClass !== null && (state.replicasOf.get(unit.id) ?? []).every((one) => one.state === 'lost')) {
    unit.machineClass = null;
    touchUnit(state, unit);
  }
  endRun(state, worker, replica, unit);
}

/** Clears a replica from its desk and has its unit judged. */
function endRun(state: TickState, worker: WorkerId, replica: ReplicaRow, unit: UnitRow): void {
  state.desks.get(worker)?.delete(replica.id);
  jobChange(state, unit.job).running -= 1;
  state.toJudge.add(unit.id);
}

function findHeld(
  state: TickState,
  worker: WorkerId,
  id: ReplicaId,
): { readonly replica: ReplicaRow; readonly unit: UnitRow } | ErrorCode {
  const replica = state.replicas.get(id);
  const unit = replica && state.units.get(replica.unit);
  if (replica === undefined || unit === undefined || replica.worker !== worker) return 'replica.not_found';
  if (replica.state === 'lost') return 'replica.lease_expired';
  if (replica.state !== 'leased' && replica.state !== 'committed') return 'replica.wrong_state';
  return { replica, unit };
}

function commitmentIn(
  sha256: Sha256,
  worker: WorkerId,
  unit: UnitRow,
  reveal: BodyReveal,
  digest: Sha256Hex,
): Sha256Hex {
  return commitmentOf(sha256, { job: unit.job, unit: unit.id, worker, nonce: reveal.nonce, digest });
}

/** Whether the merge that waits for these outputs could be given them. */
function fitsMerge(state: TickState, unit: UnitRow, { outputs }: BodyReveal): boolean {
  const facts = state.jobs.get(unit.job);
  if (unit.kind !== 'work' || !facts?.hasMerge) return true;
  const { outputFiles, outputBytes } = facts.outputBounds;
  const bytes = outputs.reduce((sum, file) => sum + file.sizeBytes, 0);
  return outputs.length <= outputFiles && bytes <= outputBytes && unmergeablePath(outputs) === undefined;
}

/** The hash of the metrics file that a reveal carries; null where it carries none. */
export function metricsHash(sha256: Sha256, reveal: BodyReveal): Sha256Hex | null {
  return reveal.metrics === null ? null : sha256Hex(sha256, reveal.metrics);
}

function lists(reveal: BodyReveal, hash: Sha256Hex): boolean {
  return reveal.outputs.some((file) => file.path === 'metrics.json' && file.sha256 === hash);
}

const emptyDigests = new WeakMap<Sha256, Sha256Hex>();

/** The digest of a reveal's outputs; the empty tree's is computed once. */
export function digestOf(sha256: Sha256, reveal: BodyReveal): Sha256Hex {
  if (reveal.outputs.length > 0) return treeDigest(sha256, reveal.outputs);
  const known = emptyDigests.get(sha256) ?? treeDigest(sha256, []);
  emptyDigests.set(sha256, known);
  return known;
}
