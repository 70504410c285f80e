/** One tick of the exchange: all waiting requests of a server become one transaction. */

import {
  exchangeLeafHashes,
  limits,
  merkleRootOfHex,
  refuse,
  type ExchangeRow,
  type NewExchange,
  type OfferRow,
  type RefusedItem,
  type ReplicaGlimpse,
  type ReplicaId,
  type RequestId,
  type ResultStatement,
  type Sha256Hex,
  type UnitId,
  type WorkDesk,
  type WorkerId,
  type WorkTx,
} from '@assay/core';
import { finishTick, type FinishDeps } from './finish.ts';
import { handOut, type HandOutDeps, type Taking } from './hand-out.ts';
import { digestOf, hear, loseOverdue, metricsHash, type Heard, type Uploads } from './hear.ts';
import { judgeUnits } from './judge.ts';
import { clearEnded, revealable, stoppable } from './outlook.ts';
import type { SignedRequest } from './signed-request.ts';
import { createTickState, type TickState } from './tick-state.ts';

/** A request in a tick. `heard` ones were applied by an earlier tick and only wait for something to do. */
export interface TickRequest {
  readonly signed: SignedRequest;
  readonly heard: boolean;
  /** Whether its evidence is stored. */
  readonly stored: boolean;
}

/** The answer to one request, before it is written as JSON. */
export interface TickAnswer {
  readonly offers: readonly OfferRow[];
  readonly reveal: readonly ReplicaId[];
  readonly stop: readonly ReplicaId[];
  readonly refused: readonly RefusedItem[];
  readonly stored: boolean;
}

export interface TickResult {
  readonly answers: ReadonlyMap<RequestId, TickAnswer | Error>;
  readonly wakeWorkers: readonly WorkerId[];
  readonly wakeUnits: boolean;
  /** No unit waits for a taker. */
  readonly poolEmpty: boolean;
}

export interface TickDeps extends FinishDeps, HandOutDeps {}

/** A request as the tick works on it. */
interface Turn {
  readonly request: TickRequest;
  readonly id: RequestId;
  readonly worker: WorkerId;
  /** Answered before: its statements are not heard again. */
  replay?: ExchangeRow;
  heard?: Heard;
  leafHashes: readonly Sha256Hex[];
  evidence?: NewExchange;
  refused: readonly RefusedItem[];
  offers: readonly OfferRow[];
  error?: Error;
}

/** Runs one tick in an open transaction. It may run again when the transaction lost a race. */
export async function runTick(tx: WorkTx, deps: TickDeps, requests: readonly TickRequest[]): Promise<TickResult> {
  const turns = requests.map(turnOf);
  const asked = turns.filter((turn) => !turn.request.heard);
  const { nowMs, desks, replays } = await tx.openDesks(
    [...new Set(turns.map((turn) => turn.worker))],
    asked.map((turn) => turn.id),
  );
  if (replays.length > 0) await answerAgain(tx, asked, replays);
  const fresh = turns.filter((turn) => !turn.request.heard && !turn.replay && !turn.error);
  const { units, late, glimpses } = await unitsInQuestion(tx, fresh, desks, nowMs);
  const loaded = await tx.lockUnits(units, nowMs, late);
  const jobs = await deps.facts.load(loaded.units.map((unit) => unit.job));
  const state = createTickState(nowMs, jobs, loaded, desks);
  for (const turn of fresh) checkRoot(deps, state, turn);
  const uploads = await uploadsOf(tx, fresh);
  for (const turn of fresh) if (!turn.error) listen(deps, state, turn, { uploads, glimpses });
  judgeUnits(state);
  for (const { worker } of desks) clearEnded(state, glimpses, worker);
  const poolEmpty = !(await offerWork(tx, deps, state, turns));
  for (const turn of turns) keepEvidence(turn);
  await finishTick(tx, deps, state, {
    exchanges: turns.flatMap((turn) => turn.evidence ?? []),
    lateOffers: turns
      .filter((turn) => isStored(turn) && !turn.replay?.offers.length && turn.offers.length > 0)
      .map((turn) => ({ request: turn.id, offers: turn.offers.map((offer) => offer.replica) })),
    desks: desksToWrite(state, desks, turns),
  });
  const answers = new Map(turns.map((turn) => [turn.id, answerOf(state, glimpses, turn)]));
  return { answers, wakeWorkers: [...state.wake.workers], wakeUnits: state.wake.units, poolEmpty };
}

function turnOf(request: TickRequest): Turn {
  const { envelope } = request.signed;
  return { request, id: envelope.request, worker: envelope.worker, leafHashes: [], refused: [], offers: [] };
}

/** Requests that were answered before get the same answer. */
async function answerAgain(tx: WorkTx, asked: readonly Turn[], replays: readonly ExchangeRow[]): Promise<void> {
  const rows = new Map(replays.map((row) => [row.id, row]));
  for (const turn of asked) {
    const row = rows.get(turn.id);
    if (row === undefined) continue;
    const { envelope } = turn.request.signed;
    if (row.worker !== turn.worker || row.bodySha256 !== envelope.bodySha256) {
      turn.error = refuse('idempotency.key_reused', 'the request id was used before with another request');
    } else {
      turn.replay = row;
      turn.refused = row.refused;
      if (row.offers.length > 0) turn.offers = await tx.offered(row.offers);
    }
  }
}

/** The units that requests speak of or that ran out of time, and what became of everything else that workers hold. */
async function unitsInQuestion(
  tx: WorkTx,
  fresh: readonly Turn[],
  desks: readonly WorkDesk[],
  nowMs: number,
): Promise<{ units: UnitId[]; late: Set<UnitId>; glimpses: ReadonlyMap<ReplicaId, ReplicaGlimpse> }> {
  const onDesk = new Map(desks.flatMap((desk) => desk.held.map((held) => [held.replica, held.unit] as const)));
  const units = new Set<UnitId>();
  const spoken = new Set<ReplicaId>();
  const strange: ReplicaId[] = [];
  for (const { request } of fresh) {
    const { commits, reveals, failures } = request.signed.body;
    for (const { replica } of [...commits, ...reveals, ...failures]) {
      const unit = onDesk.get(replica);
      spoken.add(replica);
      if (unit === undefined) strange.push(replica);
      else units.add(unit);
    }
  }
  if (strange.length > 0) for (const row of await tx.offered(strange)) units.add(row.unit);
  const quiet = [...onDesk.keys()].filter((replica) => !spoken.has(replica));
  const glimpses = quiet.length === 0 ? [] : await tx.glimpse(quiet, nowMs);
  const late = new Set(glimpses.filter((one) => one.overdue).map((one) => one.unit));
  for (const unit of late) units.add(unit);
  return { units: [...units], late, glimpses: new Map(glimpses.map((one) => [one.replica, one])) };
}

/** Recomputes the root that the device signed over its statements, now that their units are known. */
function checkRoot(deps: TickDeps, state: TickState, turn: Turn): void {
  const { body, envelope } = turn.request.signed;
  const digests: Sha256Hex[] = [];
  const statements: ResultStatement[] = [];
  for (const reveal of body.reveals) {
    const replica = state.replicas.get(reveal.replica);
    const unit = replica && state.units.get(replica.unit);
    if (unit === undefined || replica === undefined) {
      turn.error = refuse('replica.not_found', 'a revealed replica is not known', { replica: reveal.replica });
      return;
    }
    const digest = digestOf(deps.sha256, reveal);
    digests.push(digest);
    const { replica: id, exitCode } = reveal;
    const { machineClass } = replica;
    const metrics = metricsHash(deps.sha256, reveal);
    const { worker } = turn;
    statements.push({ job: unit.job, unit: unit.id, replica: id, worker, machineClass, digest, exitCode, metrics });
  }
  turn.leafHashes = exchangeLeafHashes(deps.sha256, body.commits, statements);
  if (merkleRootOfHex(deps.sha256, turn.leafHashes) !== envelope.statementsRoot) {
    turn.error = refuse('auth.bad_signature', 'the signed root does not cover the statements of the request');
    return;
  }
  turn.heard = { request: turn.id, worker: turn.worker, body, digests, leafHashes: turn.leafHashes };
}

function uploadsOf(tx: WorkTx, fresh: readonly Turn[]): Promise<Uploads> {
  const pairs = fresh.flatMap((turn) =>
    (turn.heard?.body.reveals ?? []).flatMap((reveal) =>
      reveal.outputs
        .filter((file) => file.sizeBytes > 0)
        .map((file) => ({ replica: reveal.replica, sha256: file.sha256 })),
    ),
  );
  return tx.uploaded(pairs);
}

/** What a request is heard with. */
interface Known {
  readonly uploads: Uploads;
  readonly glimpses: ReadonlyMap<ReplicaId, ReplicaGlimpse>;
}

function listen(deps: TickDeps, state: TickState, turn: Turn, { uploads, glimpses }: Known): void {
  if (turn.heard === undefined) return;
  turn.refused = hear(deps.sha256, state, turn.heard, uploads);
  // Who says that a unit runs keeps it, but not beyond the time that the unit may take.
  const running = turn.heard.body.running.filter((id) => glimpses.get(id)?.isOver !== true);
  loseOverdue(state, turn.worker, new Set(running));
}

/** Hands out work to all who claim; false when no unit waits for a taker. */
async function offerWork(tx: WorkTx, deps: TickDeps, state: TickState, turns: readonly Turn[]): Promise<boolean> {
  const asking = turns.filter((turn) => !turn.error && turn.offers.length === 0);
  const takings = asking.map((turn): [Turn, Taking] => {
    const { worker, body } = turn.request.signed;
    const room = limits.workerReplicas - (state.desks.get(turn.worker)?.size ?? 0);
    return [
      turn,
      { request: turn.id, profile: worker.profile, wants: Math.max(0, Math.min(body.claim, room)), offers: [] },
    ];
  });
  const some = await handOut(
    tx,
    deps,
    state,
    takings.map(([, taking]) => taking),
  );
  for (const [turn, taking] of takings) turn.offers = taking.offers;
  return some;
}

function isStored(turn: Turn): boolean {
  return turn.request.stored || turn.replay !== undefined;
}

/** Notes the evidence of a request that said or got something. */
function keepEvidence(turn: Turn): void {
  const { envelope, signature, body } = turn.request.signed;
  const said = body.commits.length + body.reveals.length + body.failures.length > 0;
  if (turn.error || isStored(turn) || (!said && turn.offers.length === 0)) return;
  turn.evidence = {
    id: turn.id,
    worker: turn.worker,
    bodySha256: envelope.bodySha256,
    sentAtMs: envelope.sentAtMs,
    statementsRoot: envelope.statementsRoot,
    signature,
    leafHashes: turn.leafHashes.join(''),
    offers: turn.offers.map((offer) => offer.replica),
    refused: turn.refused,
  };
}

function desksToWrite(state: TickState, desks: readonly WorkDesk[], turns: readonly Turn[]): WorkDesk[] {
  const speaking = new Set(turns.filter((turn) => !turn.request.heard && !turn.error).map((turn) => turn.worker));
  return desks.flatMap(({ worker, held }) => {
    const now = [...(state.desks.get(worker) ?? [])].map(([replica, unit]) => ({ replica, unit }));
    const moved = now.length !== held.length || now.some((one, index) => one.replica !== held[index]?.replica);
    return moved || speaking.has(worker) ? [{ worker, held: now, seen: speaking.has(worker) }] : [];
  });
}

function answerOf(state: TickState, glimpses: ReadonlyMap<ReplicaId, ReplicaGlimpse>, turn: Turn): TickAnswer | Error {
  if (turn.error) return turn.error;
  return {
    offers: turn.offers,
    reveal: revealable(state, glimpses, turn.worker),
    stop: stoppable(state, glimpses, turn.worker, turn.request.signed.body.running),
    refused: turn.refused,
    stored: isStored(turn) || turn.evidence !== undefined,
  };
}
