/** What time alone brings about: leases of silent workers, patience with missing replacements and jobs end. */

import { limits, type JobId, type WorkerId, type WorkStore, type WorkTx, type WorkWake } from '@assay/core';
import { finishTick, type FinishDeps } from './finish.ts';
import { loseOverdue } from './hear.ts';
import type { JobFactsReader } from './job-facts.ts';
import { judgeUnits, losePatience } from './judge.ts';
import { clearEnded } from './outlook.ts';
import { sweepBreaches } from './sweep-breaches.ts';
import { createTickState } from './tick-state.ts';
import { submitOpenVerdicts } from './verdict-batches.ts';

export interface SweepDeps extends FinishDeps {
  readonly store: WorkStore;
  readonly facts: JobFactsReader;
}

/** What a sweep did, and whom it concerns. */
export interface SweepReport {
  readonly lost: number;
  readonly impatient: number;
  readonly batches: number;
  /** Jobs that reached no verdict in time. */
  readonly late: number;
  /** Jobs that were proven to have tried to leave their sandbox. */
  readonly banned: number;
  /** What went wrong; the other sweeps went on. */
  readonly problems: readonly unknown[];
  readonly wake: WorkWake;
}

/**
 * One sweep; any number of servers may sweep at once. Workers that speak have their overdue replicas taken by the tick
 * that hears them, so only silent ones are looked at here.
 */
export async function sweepWork(deps: SweepDeps): Promise<SweepReport> {
  const { store } = deps;
  const problems: unknown[] = [];
  const attempt = async <T>(otherwise: T, sweep: () => Promise<T>): Promise<T> => {
    try {
      return await sweep();
    } catch (error) {
      problems.push(error);
      return otherwise;
    }
  };
  const silent = await attempt(nothing, () => store.transaction((tx) => sweepSilent(tx, deps)));
  const impatient = await attempt(nothing, () => store.transaction((tx) => sweepImpatient(tx, deps)));
  const batches = await attempt(0, () => store.transaction((tx) => sweepVerdicts(tx, deps)));
  const late = await attempt([], () => store.transaction((tx) => tx.lateJobs(limits.jobDeadlineMs, limits.sweepUnits)));
  const ended: (readonly WorkerId[] | undefined)[] = [];
  // One after the other: connections are for those who work.
  for (const job of late) ended.push(await attempt(undefined, () => endLate(store, job)));
  const banned = await attempt(0, () => sweepBreaches(store, problems));
  const told = [...silent.wake.workers, ...impatient.wake.workers, ...ended.flatMap((one) => one ?? [])];
  return {
    lost: silent.count,
    impatient: impatient.count,
    batches,
    late: ended.filter((one) => one !== undefined).length,
    banned,
    problems,
    wake: { workers: [...new Set(told)], units: silent.wake.units || impatient.wake.units },
  };
}

interface Swept {
  readonly count: number;
  readonly wake: WorkWake;
}

const nothing: Swept = { count: 0, wake: { workers: [], units: false } };

async function sweepSilent(tx: WorkTx, deps: SweepDeps): Promise<Swept> {
  const { nowMs, desks } = await tx.silentDesks(limits.leaseMs, limits.sweepDesks);
  if (desks.length === 0) return nothing;
  const held = desks.flatMap((desk) => desk.held.map((one) => one.replica));
  const glimpses = new Map((await tx.glimpse(held, nowMs)).map((one) => [one.replica, one]));
  const overdue = [...glimpses.values()].filter((one) => one.overdue).map((one) => one.unit);
  const late = new Set(overdue);
  const loaded = await tx.lockUnits([...late], nowMs, late);
  const jobs = await deps.facts.load(loaded.units.map((unit) => unit.job));
  const state = createTickState(nowMs, jobs, loaded, desks);
  for (const { worker } of desks) loseOverdue(state, worker, new Set());
  const count = state.changes.ends.length;
  judgeUnits(state);
  for (const { worker } of desks) clearEnded(state, glimpses, worker);
  const moved = desks.flatMap(({ worker, held: before }) => {
    const now = [...(state.desks.get(worker) ?? [])].map(([replica, unit]) => ({ replica, unit }));
    return now.length === before.length ? [] : [{ worker, held: now, seen: false }];
  });
  if (moved.length === 0) return nothing;
  await finishTick(tx, deps, state, { exchanges: [], lateOffers: [], desks: moved });
  return { count, wake: { workers: [...state.wake.workers], units: state.wake.units } };
}

async function sweepImpatient(tx: WorkTx, deps: SweepDeps): Promise<Swept> {
  const loaded = await tx.impatientUnits(limits.replacementPatienceMs, limits.sweepUnits);
  if (loaded.units.length === 0) return nothing;
  const jobs = await deps.facts.load(loaded.units.map((unit) => unit.job));
  const state = createTickState(loaded.nowMs, jobs, loaded, []);
  for (const unit of loaded.units) losePatience(state, unit);
  judgeUnits(state);
  await finishTick(tx, deps, state, { exchanges: [], lateOffers: [], desks: [] });
  return { count: loaded.units.length, wake: { workers: [...state.wake.workers], units: state.wake.units } };
}

/** Ends a job that waits for ever, such as one whose units find no further independent worker; answers its holders. */
async function endLate(store: WorkStore, job: JobId): Promise<readonly WorkerId[]> {
  const text = `no verdict within ${limits.jobDeadlineMs / 86_400_000} days; the money went back`;
  return await store.transaction((tx) => tx.failJob(job, { code: 'job.overdue', text }));
}

async function sweepVerdicts(tx: WorkTx, deps: SweepDeps): Promise<number> {
  const jobs = await tx.jobsWithOpenVerdicts(limits.verdictWaitMs, limits.sweepUnits);
  for (const job of jobs) await submitOpenVerdicts(tx, deps.sha256, job);
  return jobs.length;
}
