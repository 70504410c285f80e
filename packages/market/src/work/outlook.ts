/** What a worker should know of the replicas that it holds. Pure. */

import type { ReplicaGlimpse, ReplicaId, ReplicaState, UnitState, WorkerId } from '@assay/core';
import type { TickState } from './tick-state.ts';

type Glimpses = ReadonlyMap<ReplicaId, ReplicaGlimpse>;

/** The state of a replica and its unit: as the tick has it, or else as it was read without a lock. */
function standing(
  state: TickState,
  glimpses: Glimpses,
  id: ReplicaId,
): { readonly replica: ReplicaState; readonly unit: UnitState } | undefined {
  const replica = state.replicas.get(id);
  const unit = replica && state.units.get(replica.unit);
  if (replica && unit) return { replica: replica.state, unit: unit.state };
  const glimpse = glimpses.get(id);
  return glimpse && { replica: glimpse.state, unit: glimpse.unitState };
}

/** Committed replicas whose units have opened. */
export function revealable(state: TickState, glimpses: Glimpses, worker: WorkerId): ReplicaId[] {
  const held = [...(state.desks.get(worker)?.keys() ?? [])];
  return held.filter((id) => {
    const now = standing(state, glimpses, id);
    return now?.replica === 'committed' && now.unit === 'revealing';
  });
}

/** Replicas that the worker says it runs and that are no longer its to run. */
export function stoppable(
  state: TickState,
  glimpses: Glimpses,
  worker: WorkerId,
  running: readonly ReplicaId[],
): ReplicaId[] {
  const desk = state.desks.get(worker);
  const ended = [...(state.stopped.get(worker) ?? [])];
  return [
    ...new Set([
      ...ended,
      ...running.filter((id) => !desk?.has(id) || !isLive(standing(state, glimpses, id)?.replica)),
    ]),
  ];
}

/** Takes replicas off a desk that ended without their worker, such as those of a job that failed. */
export function clearEnded(state: TickState, glimpses: Glimpses, worker: WorkerId): void {
  const desk = state.desks.get(worker);
  for (const id of Array.from(desk?.keys() ?? [])) {
    const now = standing(state, glimpses, id);
    if (now === undefined || isLive(now.replica)) continue;
    desk?.delete(id);
    const stopped = state.stopped.get(worker) ?? new Set();
    state.stopped.set(worker, stopped.add(id));
  }
}

function isLive(state: ReplicaState | undefined): boolean {
  return state === undefined || state === 'leased' || state === 'committed';
}
