/**
 * Units with their replicas as this server last wrote them, so that it need not read them again while it is alone. A
 * transaction takes units out and, once it has committed, puts them back as it left them. The row locks of the database
 * still decide who comes first: an entry counts only if nobody else took its unit before the lock was granted.
 */

import { limits, type LoadedUnits, type ReplicaRow, type UnitId, type UnitRow, type WorkChanges } from '@assay/core';

/** A unit that a transaction has under its lock. */
export interface HeldUnit {
  readonly row: UnitRow;
  /** Null where nothing waits to be revealed. */
  revealDueMs: number | null;
  /** Undefined where they were not read. */
  readonly replicas: ReplicaRow[] | undefined;
}

/** What one transaction took, read and changed. */
export interface UnitTurn {
  /** Takes out the units of `ids` that are remembered and not `late`, before their locks are asked for. */
  take(ids: readonly UnitId[], late?: ReadonlySet<UnitId>): void;
  /** Which of them still have to be read, now that all are locked. */
  unread(ids: readonly UnitId[]): UnitId[];
  /** Notes a unit as it was read; where the transaction holds it already, that stands. */
  hold(unit: HeldUnit): HeldUnit;
  /** Rows of units that are held; the time decides what is overdue. */
  rows(ids: readonly UnitId[], nowMs: number): LoadedUnits;
  /** The replicas of a decided unit, which need not be remembered any longer. */
  finish(id: UnitId): readonly ReplicaRow[] | undefined;
  /** What the transaction has written beside what it changed in the rows. */
  note(changes: WorkChanges): void;
  /** Rows are about to change behind the memory's back: forgets everything, and again when the transaction ends. */
  distrust(): void;
  /** After the commit. */
  keep(): void;
  /** Always, last. */
  end(): void;
}

export interface UnitCache {
  /** `isTrusted`: the server is alone, so what is remembered holds. */
  open(isTrusted: boolean): UnitTurn;
}

interface Memory {
  readonly units: Map<UnitId, HeldUnit>;
  /** Who took a unit last. */
  readonly takers: Map<UnitId, object>;
  /** Counts what makes all earlier entries worthless. */
  epoch: number;
  distrusted: number;
}

/** An empty memory. */
export function createUnitCache(): UnitCache {
  const memory: Memory = { units: new Map(), takers: new Map(), epoch: 0, distrusted: 0 };
  return {
    open(isTrusted) {
      if (!isTrusted) forget(memory);
      return openTurn(memory, isTrusted);
    },
  };
}

function forget(memory: Memory): void {
  memory.epoch += 1;
  memory.units.clear();
}

function openTurn(memory: Memory, isTrusted: boolean): UnitTurn {
  const { epoch, units, takers } = memory;
  const me = {};
  const held = new Map<UnitId, HeldUnit>();
  const taken = new Set<UnitId>();
  const spoilt = new Set<UnitId>();
  let isDistrusting = false;
  return {
    take(ids, late) {
      for (const id of ids) {
        if (held.has(id)) continue;
        const known = units.get(id);
        units.delete(id);
        takers.set(id, me);
        taken.add(id);
        if (known?.replicas && isTrusted && memory.epoch === epoch && !late?.has(id)) held.set(id, known);
      }
    },
    unread(ids) {
      for (const id of ids) if (memory.epoch !== epoch || takers.get(id) !== me) held.delete(id);
      return ids.filter((id) => held.get(id)?.replicas === undefined);
    },
    hold(unit) {
      const known = held.get(unit.row.id);
      if (known) return known;
      held.set(unit.row.id, unit);
      if (unit.replicas?.some((one) => one.overdue)) spoilt.add(unit.row.id);
      return unit;
    },
    rows(ids, nowMs) {
      const found = ids.flatMap((id) => held.get(id) ?? []);
      for (const { row, revealDueMs } of found) row.overdue = revealDueMs !== null && revealDueMs < nowMs;
      return { units: found.map((one) => one.row), replicas: found.flatMap((one) => one.replicas ?? []) };
    },
    finish(id) {
      const isFresh = isTrusted && memory.epoch === epoch;
      const known = held.get(id) ?? (isFresh ? units.get(id) : undefined);
      units.delete(id);
      spoilt.add(id);
      return known?.replicas;
    },
    note(changes) {
      noteChanges(held, changes);
      // A refused statement may come again and again; only a fresh look tells whether its replica has run out of time.
      for (const id of refusedUnits(held, changes)) spoilt.add(id);
    },
    distrust() {
      if (!isDistrusting) memory.distrusted += 1;
      isDistrusting = true;
      forget(memory);
    },
    keep() {
      if (!isTrusted || memory.epoch !== epoch || memory.distrusted > 0) return;
      if (units.size + held.size > limits.cacheUnits) units.clear();
      for (const [id, unit] of held) {
        if (unit.replicas && !spoilt.has(id) && takers.get(id) === me) units.set(id, unit);
      }
    },
    end() {
      for (const id of taken) if (takers.get(id) === me) takers.delete(id);
      if (!isDistrusting) return;
      forget(memory);
      memory.distrusted -= 1;
    },
  };
}

function noteChanges(held: ReadonlyMap<UnitId, HeldUnit>, { claims, units, nowMs, revealMs }: WorkChanges): void {
  for (const { replica: id, unit, worker, owner, machineClass } of claims) {
    held.get(unit)?.replicas?.push({
      id,
      unit,
      worker,
      owner,
      machineClass,
      state: 'leased',
      overdue: false,
      commitment: null,
      digest: null,
      exitCode: null,
      metricsSha256: null,
      metric: null,
    });
  }
  for (const { row, opensReveal } of units) {
    const unit = opensReveal ? held.get(row.id) : undefined;
    if (unit) unit.revealDueMs = nowMs + revealMs;
  }
}

function refusedUnits(held: ReadonlyMap<UnitId, HeldUnit>, { exchanges }: WorkChanges): UnitId[] {
  const refused = new Set(exchanges.flatMap((one) => one.refused.map((item) => item.replica)));
  if (refused.size === 0) return [];
  return [...held].flatMap(([id, { replicas }]) => (replicas?.some((one) => refused.has(one.id)) ? [id] : []));
}
