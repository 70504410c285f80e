/**
 * Ticks side by side: while one waits for the database, another one computes. Two ticks of a server never work on one
 * unit at once, because the later one would only wait for the earlier one's locks.
 */

import { limits, type ReplicaId, type UnitId } from '@assay/core';
import type { ExchangeBody } from './exchange-body.ts';

/** What a queued request will touch. */
export interface Laned {
  readonly units: readonly UnitId[];
}

/** Which unit each replica that this server gave out belongs to, as far as it remembers. */
export interface UnitMemory {
  remember(replica: ReplicaId, unit: UnitId): void;
  /** The units that a request speaks of and forgets those whose replicas end with it. */
  unitsOf(body: ExchangeBody): readonly UnitId[];
}

/** An empty memory; what it has forgotten is settled by the locks of the database. */
export function createUnitMemory(): UnitMemory {
  const units = new Map<ReplicaId, UnitId>();
  return {
    remember(replica, unit) {
      if (units.size >= limits.replicaMemory) units.clear();
      units.set(replica, unit);
    },
    unitsOf(body) {
      const found: UnitId[] = [];
      for (const { replica } of body.commits) {
        const unit = units.get(replica);
        if (unit !== undefined) found.push(unit);
      }
      for (const { replica } of [...body.reveals, ...body.failures]) {
        const unit = units.get(replica);
        if (unit !== undefined) found.push(unit);
        units.delete(replica);
      }
      return found;
    },
  };
}

export interface Lanes<L extends Laned> {
  /** Takes up to a tick's worth of requests from the front that touch no unit of a running tick. */
  board(queue: L[]): L[];
  /** The units of the requests of all other running ticks. */
  beside(batch: readonly L[]): UnitId[];
  /** Notes units that a running tick has locked beside those of its requests; returns how to let them go. */
  occupy(units: readonly UnitId[]): () => void;
  /** Ends a tick. */
  leave(batch: readonly L[]): void;
}

/** No tick runs. */
export function createLanes<L extends Laned>(): Lanes<L> {
  const busy = new Map<UnitId, number>();
  const change = (units: readonly UnitId[], by: 1 | -1): void => {
    for (const unit of units) {
      const count = (busy.get(unit) ?? 0) + by;
      if (count > 0) busy.set(unit, count);
      else busy.delete(unit);
    }
  };
  const running = new Set<readonly L[]>();
  return {
    board(queue) {
      const batch: L[] = [];
      const rest: L[] = [];
      for (const one of queue) {
        const free = batch.length < limits.tickRequests && !one.units.some((unit) => busy.has(unit));
        (free ? batch : rest).push(one);
      }
      if (batch.length === 0) return batch;
      queue.splice(0, queue.length, ...rest);
      for (const one of batch) change(one.units, 1);
      running.add(batch);
      return batch;
    },
    beside: (batch) => [...running].flatMap((other) => (other === batch ? [] : other.flatMap((one) => one.units))),
    occupy(units) {
      change(units, 1);
      return () => change(units, -1);
    },
    leave(batch) {
      for (const one of batch) change(one.units, -1);
      running.delete(batch);
    },
  };
}
