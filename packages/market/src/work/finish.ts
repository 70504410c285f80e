/** The end of a tick: rows are written, verdicts reach the ledger, and jobs that are through move on. */

import {
  assert,
  limits,
  newId,
  type DecidedRow,
  type IdSource,
  type JobId,
  type JobProgress,
  type NewExchange,
  type ReplicaId,
  type RequestId,
  type Sha256,
  type WorkDesk,
  type WorkTx,
} from '@assay/core';
import type { JobFailure, TickState } from './tick-state.ts';
import { isBatchDue, submitOpenVerdicts } from './verdict-batches.ts';

/** What a job does after a tick. */
export type JobStep = 'none' | 'merge' | 'verify';

/** Whether a job whose units moved goes on to its merge, or is through. Pure. */
export function stepAfter(progress: JobProgress, hasMerge: boolean): JobStep {
  if (progress.state !== 'funded') return 'none';
  if (progress.unitsAgreed === progress.unitsTotal) return 'verify';
  return hasMerge && progress.unitsAgreed === progress.unitsTotal - 1 ? 'merge' : 'none';
}

export interface FinishDeps {
  readonly ids: IdSource;
  readonly sha256: Sha256;
}

/** What a tick stores beside the changes of its state. */
export interface TickRecords {
  readonly exchanges: readonly NewExchange[];
  readonly lateOffers: readonly { readonly request: RequestId; readonly offers: readonly ReplicaId[] }[];
  readonly desks: readonly WorkDesk[];
}

/** Writes everything, moves jobs on, and wakes other servers. */
export async function finishTick(tx: WorkTx, deps: FinishDeps, state: TickState, records: TickRecords): Promise<void> {
  const { changes, nowMs } = state;
  const units = [...changes.units.values()];
  const written = tx.write({
    ...records,
    nowMs,
    leaseMs: limits.leaseMs,
    revealMs: limits.revealMs,
    claims: changes.claims,
    renewed: changes.renewed,
    commits: changes.commits,
    reveals: [...changes.reveals.values()],
    ends: changes.ends,
    units,
    decided: changes.decided,
  });
  // Jobs come last, because all ticks meet there: what is below them is written before their locks are asked for.
  const [before] = await Promise.all([tx.lockJobs([...changes.jobs.keys()]), written]);
  // Nobody waits for these: what follows runs behind them, and the commit fails where they do.
  tx.advance({ jobs: [...changes.jobs.values()], decided: numbered(state, before), units }).catch(() => undefined);
  const ends = before.flatMap((progress) => jobEnd(state, progress) ?? []);
  const due = ends.filter((end) => isBatchDue(end.after, nowMs, end.failure !== undefined || end.step === 'verify'));
  await Promise.all(due.map((end) => submitOpenVerdicts(tx, deps.sha256, end.after.id)));
  for (const end of ends) await finishJob(tx, deps, state, end);
  if (changes.breaches.length > 0) await tx.addBreaches(changes.breaches);
  await tx.wake({ workers: [...state.wake.workers], units: state.wake.units });
}

/** Verdicts with their numbers in the order in which they fell. */
function numbered(state: TickState, jobs: readonly JobProgress[]): DecidedRow[] {
  const last = new Map(jobs.map((job) => [job.id, job.verdicts]));
  return state.changes.decided.map((verdict) => {
    const before = last.get(verdict.job);
    assert(before !== undefined, 'a job is locked before its verdicts are numbered');
    last.set(verdict.job, before + 1);
    return { ...verdict, number: before + 1 };
  });
}

/** A job on which something was decided. */
interface JobEnd {
  readonly after: JobProgress;
  readonly failure: JobFailure | undefined;
  readonly step: JobStep;
}

function jobEnd(state: TickState, before: JobProgress): JobEnd | undefined {
  const change = state.changes.jobs.get(before.id);
  const facts = state.jobs.get(before.id);
  assert(change !== undefined && facts !== undefined, 'only changed jobs are finished');
  const failure = state.changes.failures.get(before.id);
  if (change.agreed === 0 && failure === undefined) return undefined;
  const after: JobProgress = {
    ...before,
    unitsAgreed: before.unitsAgreed + change.agreed,
    unitsUndecided: before.unitsUndecided + change.undecided,
    verdicts: before.verdicts + change.agreed,
  };
  return { after, failure, step: failure ? 'none' : stepAfter(after, facts.hasMerge) };
}

async function finishJob(
  tx: WorkTx,
  deps: FinishDeps,
  state: TickState,
  { after, failure, step }: JobEnd,
): Promise<void> {
  if (failure) for (const worker of await tx.failJob(after.id, failure)) state.wake.workers.add(worker);
  if (step === 'verify') await tx.verifyJob(after.id);
  if (step === 'merge') await openMerge(tx, deps, state, after.id);
}

async function openMerge(tx: WorkTx, deps: FinishDeps, state: TickState, job: JobId): Promise<void> {
  await tx.openMerge(job, newId('unit', deps.ids));
  state.wake.units = true;
}
