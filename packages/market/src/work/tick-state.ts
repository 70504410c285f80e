/** What one tick has loaded under locks and what it changes: rows live in memory until all are written at once. */

import {
  transition,
  unitTable,
  type ClaimRow,
  type CommitRow,
  type DecidedRow,
  type EndRow,
  type JobChange,
  type JobId,
  type LoadedUnits,
  type NewBreach,
  type ReplicaId,
  type ReplicaRow,
  type RevealRow,
  type UnitChange,
  type UnitEvent,
  type UnitId,
  type UnitRow,
  type WorkDesk,
  type WorkerId,
} from '@assay/core';
import type { JobFacts } from './job-facts.ts';

export interface TickState {
  readonly nowMs: number;
  readonly jobs: ReadonlyMap<JobId, JobFacts>;
  readonly units: Map<UnitId, UnitRow>;
  readonly replicas: Map<ReplicaId, ReplicaRow>;
  readonly replicasOf: Map<UnitId, ReplicaRow[]>;
  /** What each worker holds: replica to unit. */
  readonly desks: Map<WorkerId, Map<ReplicaId, UnitId>>;
  /** Replicas that ended without their worker and that it must hear of. */
  readonly stopped: Map<WorkerId, Set<ReplicaId>>;
  /** Units on which something happened that may decide them. */
  readonly toJudge: Set<UnitId>;
  readonly changes: {
    readonly units: Map<UnitId, UnitChange>;
    readonly claims: ClaimRow[];
    readonly renewed: ReplicaId[];
    readonly commits: CommitRow[];
    readonly reveals: Map<ReplicaId, RevealRow>;
    readonly ends: EndRow[];
    /** Their numbers are given when the jobs are locked. */
    readonly decided: Omit<DecidedRow, 'number'>[];
    readonly jobs: Map<JobId, JobChange>;
    readonly failures: Map<JobId, JobFailure>;
    readonly breaches: NewBreach[];
  };
  /** Whom the commit must wake. */
  readonly wake: { readonly workers: Set<WorkerId>; units: boolean };
}

/** Why a job ends without a result. */
export interface JobFailure {
  readonly code: string;
  readonly text: string;
}

/** A tick over loaded rows. */
export function createTickState(
  nowMs: number,
  jobs: ReadonlyMap<JobId, JobFacts>,
  loaded: LoadedUnits,
  desks: readonly WorkDesk[],
): TickState {
  const state: TickState = {
    nowMs,
    jobs,
    units: new Map(loaded.units.map((unit) => [unit.id, unit])),
    replicas: new Map(loaded.replicas.map((replica) => [replica.id, replica])),
    replicasOf: new Map(loaded.units.map((unit) => [unit.id, []])),
    desks: new Map(desks.map((desk) => [desk.worker, new Map(desk.held.map((held) => [held.replica, held.unit]))])),
    stopped: new Map(),
    toJudge: new Set(),
    changes: {
      units: new Map(),
      claims: [],
      renewed: [],
      commits: [],
      reveals: new Map(),
      ends: [],
      decided: [],
      jobs: new Map(),
      failures: new Map(),
      breaches: [],
    },
    wake: { workers: new Set(), units: false },
  };
  for (const replica of loaded.replicas) state.replicasOf.get(replica.unit)?.push(replica);
  return state;
}

/** Moves a unit along its table and notes that it must be written. */
export function moveUnit(state: TickState, unit: UnitRow, event: UnitEvent): UnitChange {
  unit.state = transition(unitTable, unit.state, event);
  return touchUnit(state, unit);
}

/** Notes that a unit must be written. */
export function touchUnit(state: TickState, unit: UnitRow): UnitChange {
  const known = state.changes.units.get(unit.id);
  if (known) return known;
  const change: UnitChange = { row: unit, opensReveal: false, wantsMore: false };
  state.changes.units.set(unit.id, change);
  return change;
}

/** What the counters of a job gain in this tick. */
export function jobChange(state: TickState, job: JobId): JobChange {
  const known = state.changes.jobs.get(job);
  if (known) return known;
  const change: JobChange = { job, agreed: 0, undecided: 0, running: 0 };
  state.changes.jobs.set(job, change);
  return change;
}
