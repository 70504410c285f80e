/** Handing open units out to workers that ask for more, by the rules of placement. */

import {
  limits,
  mayTake,
  newId,
  type IdSource,
  type JobId,
  type OfferRow,
  type OpenUnits,
  type Comparator,
  type ReplicaId,
  type RequestId,
  type Taken,
  type UnitId,
  type UnitRow,
  type WorkerProfile,
  type WorkTx,
} from '@assay/core';
import type { JobFacts, JobFactsReader } from './job-facts.ts';
import { jobChange, moveUnit, type TickState } from './tick-state.ts';

/** A request that would take `wants` more replicas. */
export interface Taking {
  readonly request: RequestId;
  readonly profile: WorkerProfile;
  wants: number;
  readonly offers: OfferRow[];
}

export interface HandOutDeps {
  readonly ids: IdSource;
  readonly facts: JobFactsReader;
  /** Jobs with open units, asked for only when the head of the pool has nothing for a worker. */
  readonly openJobs: (limit: number) => Promise<readonly JobId[]>;
  /** Units that ticks beside this one speak of. */
  readonly busyBeside?: () => readonly UnitId[];
  /** Told of the units that a look at the pool has locked. */
  readonly onLocked?: (units: readonly UnitId[]) => void;
}

/** Open units of a tick with who took them. */
interface Pool {
  readonly units: UnitRow[];
  readonly taken: Map<UnitId, Taken[]>;
}

/**
 * Gives each request up to what it wants, in order. Looks at the head of the pool first, further down while workers
 * want more, and at last through the whole pool for a few of them. Returns whether the pool had any unit at all.
 */
export async function handOut(
  tx: WorkTx,
  deps: HandOutDeps,
  state: TickState,
  takings: readonly Taking[],
): Promise<boolean> {
  const pool: Pool = { units: [], taken: new Map() };
  let after: bigint | undefined;
  let seen = 0;
  for (;;) {
    const wanted = unmet(takings).reduce((sum, taking) => sum + taking.wants, 0);
    if (wanted === 0) return true;
    if (seen >= limits.tickOpenUnits) break;
    const limit = Math.min(Math.ceil(wanted / 2) + 16, limits.tickOpenUnits - seen);
    const except = deps.busyBeside?.() ?? [];
    const found = await tx.takePool(after === undefined ? { limit, except } : { limit, except, after });
    await addToPool(deps, state, pool, found);
    for (const taking of unmet(takings)) giveFrom(deps, state, pool, taking);
    seen += found.units.length;
    after = found.units.at(-1)?.position;
    if (found.units.length < limit) return seen > 0;
  }
  for (const taking of unmet(takings).slice(0, limits.tickSearches)) await searchFor(tx, deps, state, taking);
  return true;
}

function unmet(takings: readonly Taking[]): Taking[] {
  return takings.filter((taking) => taking.wants > 0);
}

/** Looks through the whole pool for one worker that its head could not feed. */
async function searchFor(tx: WorkTx, deps: HandOutDeps, state: TickState, taking: Taking): Promise<void> {
  const open = await deps.openJobs(limits.openJobs);
  const facts = await deps.facts.load(open);
  const able = open.filter((id) => {
    const needs = facts.get(id)?.needs;
    return needs !== undefined && mayTake(taking.profile, { ...needs, machineClass: null, taken: [] }).ok;
  });
  if (able.length === 0) return;
  const taker = { keys: taking.profile, jobs: able, machineClasses: Object.values(taking.profile.runners) };
  const found = await tx.takePool({ limit: taking.wants, taker });
  const pool: Pool = { units: [], taken: new Map() };
  await addToPool(deps, state, pool, found);
  giveFrom(deps, state, pool, taking);
}

/** Adds what was found; a unit that this tick holds already is taken as it now stands. */
async function addToPool(deps: HandOutDeps, state: TickState, pool: Pool, found: OpenUnits): Promise<void> {
  deps.onLocked?.(found.units.map((unit) => unit.id));
  await deps.facts.load(found.units.map((unit) => unit.job));
  for (const row of found.units) {
    const unit = state.units.get(row.id) ?? row;
    if (unit.wanted > 0) pool.units.push(unit);
  }
  for (const one of found.taken) addTaken(pool, one);
  // What this tick gave out before is not in the database yet.
  const fresh = new Set(found.units.map((unit) => unit.id));
  for (const claimed of state.changes.claims) if (fresh.has(claimed.unit)) addTaken(pool, { ...claimed, lost: false });
}

function addTaken(pool: Pool, one: Taken): void {
  const known = pool.taken.get(one.unit);
  if (known) known.push(one);
  else pool.taken.set(one.unit, [one]);
}

const nobody: Taken[] = [];

function giveFrom(deps: HandOutDeps, state: TickState, pool: Pool, taking: Taking): void {
  let full = false;
  for (const unit of pool.units) {
    if (taking.wants === 0) break;
    const facts = state.jobs.get(unit.job);
    if (facts === undefined || unit.wanted === 0) continue;
    const all = pool.taken.get(unit.id) ?? nobody;
    const attempt = lossesOf(taking, all);
    if (attempt >= limits.ownerLosses) continue;
    const taken = all === nobody ? all : all.filter((one) => !one.lost);
    if (!mayTake(taking.profile, { ...facts.needs, machineClass: unit.machineClass, taken }).ok) continue;
    const { comparator } = facts.policies[unit.kind];
    const offer = claim(deps.ids, state, unit, taking, { attempt, comparator, facts });
    const mine = { ...taking.profile, unit: unit.id, lost: false };
    if (all === nobody) pool.taken.set(unit.id, [mine]);
    else all.push(mine);
    taking.offers.push(offer);
    taking.wants -= 1;
    full ||= unit.wanted === 0;
  }
  if (full) pool.units.splice(0, pool.units.length, ...pool.units.filter((unit) => unit.wanted > 0));
}

/** Replicas of the unit that the worker's owner lost. */
function lossesOf({ profile }: Taking, taken: readonly Taken[]): number {
  let losses = 0;
  for (const one of taken) if (one.lost && one.owner === profile.owner) losses += 1;
  return losses;
}

/** Gives one replica of a unit to a worker; for exact results the first claim fixes the machine class. */
function claim(
  ids: IdSource,
  state: TickState,
  unit: UnitRow,
  taking: Taking,
  terms: { readonly attempt: number; readonly comparator: Comparator; readonly facts: JobFacts },
): OfferRow {
  const { profile } = taking;
  const { attempt, comparator, facts } = terms;
  const machineClass = profile.runners[facts.needs.runner] ?? '';
  moveUnit(state, unit, 'claim');
  unit.wanted -= 1;
  if (comparator.type === 'exact') unit.machineClass ??= machineClass;
  const replica: ReplicaId = newId('replica', ids);
  state.changes.claims.push({
    replica,
    attempt,
    unit: unit.id,
    job: unit.job,
    machineClass,
    runUntilMs: state.nowMs + facts.spec.timeoutMs + limits.runSlackMs,
    worker: profile.worker,
    owner: profile.owner,
    payoutAccount: profile.payoutAccount,
    hub: profile.hub,
    networkBlock: profile.networkBlock,
  });
  state.desks.get(profile.worker)?.set(replica, unit.id);
  jobChange(state, unit.job).running += 1;
  const leaseUntilMs = state.nowMs + limits.leaseMs;
  const { id, job, kind, ordinal } = unit;
  return { replica, unit: id, job, kind, ordinal, machineClass, leaseUntilMs };
}
