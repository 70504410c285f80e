/** Judging units: the pure assessment of the core, applied to the rows of a tick. */

import {
  assess,
  assert,
  type AgreedAssessment,
  type Assessment,
  type EvidenceOf,
  type ReplicaId,
  type ReplicaRow,
  type ReplicaState,
  type UnitRow,
} from '@assay/core';
import type { JobFacts } from './job-facts.ts';
import { jobChange, moveUnit, touchUnit, type TickState } from './tick-state.ts';

/** Judges every unit on which something happened. */
export function judgeUnits(state: TickState): void {
  for (const id of state.toJudge) {
    const unit = state.units.get(id);
    assert(unit !== undefined, 'a unit is loaded before it is judged');
    if (unit.state === 'agreed' || unit.state === 'undecided') continue;
    const facts = state.jobs.get(unit.job);
    assert(facts !== undefined, 'the facts of a job are loaded before its units are judged');
    judgeUnit(state, unit, facts);
  }
  state.toJudge.clear();
}

function judgeUnit(state: TickState, unit: UnitRow, facts: JobFacts): void {
  const replicas = state.replicasOf.get(unit.id) ?? [];
  const assessment: Assessment<ReplicaId> = assess(facts.policies[unit.kind], {
    replicas: replicas.map(evidenceOf),
    unclaimed: unit.wanted,
    patienceOver: unit.patienceOver,
  });
  switch (assessment.kind) {
    case 'wait':
      return;
    case 'reveal':
      return openReveal(state, unit, assessment.replicas, assessment.withdraw);
    case 'more':
      return askForMore(state, unit, assessment.count);
    case 'agreed':
      return agree(state, unit, assessment);
    case 'undecided':
      return giveUp(state, unit, replicas, assessment.reason);
  }
}

function evidenceOf(replica: ReplicaRow): EvidenceOf<ReplicaId> {
  const { id, state, digest, exitCode, metric } = replica;
  if (state === 'leased' || state === 'committed' || state === 'lost' || state === 'withdrawn') {
    return { replica: id, state, digest: null };
  }
  assert(digest !== null && exitCode !== null, 'a revealed replica has its result');
  return {
    replica: id,
    state,
    independenceKey: replica.owner,
    digest,
    exitCode,
    metric: metric === null ? null : Number(metric),
  };
}

function openReveal(state: TickState, unit: UnitRow, replicas: readonly ReplicaId[], withdraw: number): void {
  if (unit.state === 'revealing') return;
  withdrawUnclaimed(unit, withdraw);
  moveUnit(state, unit, 'reveal').opensReveal = true;
  for (const id of replicas) {
    const replica = state.replicas.get(id);
    if (replica) state.wake.workers.add(replica.worker);
  }
}

function askForMore(state: TickState, unit: UnitRow, count: number): void {
  moveUnit(state, unit, 'extend').wantsMore = true;
  unit.planned += count;
  unit.wanted += count;
  state.wake.units = true;
}

function agree(state: TickState, unit: UnitRow, verdict: AgreedAssessment<ReplicaId>): void {
  withdrawUnclaimed(unit, verdict.withdraw);
  moveUnit(state, unit, 'agree');
  for (const id of verdict.agreeing) endResult(state, id, verdict.failed ? 'failed' : 'agreed');
  for (const id of verdict.disagreeing) endResult(state, id, 'disagreed');
  state.changes.decided.push({
    unit: unit.id,
    job: unit.job,
    digest: verdict.digest,
    exitCode: verdict.exitCode,
    metric: verdict.metric === null ? null : String(verdict.metric),
    canonical: verdict.canonical,
    agreeing: verdict.agreeing.length,
  });
  jobChange(state, unit.job).agreed += 1;
  if (verdict.failed) {
    const text = `${unitName(unit)} ended with exit code ${verdict.exitCode} in ${verdict.agreeing.length} independent runs`;
    state.changes.failures.set(unit.job, { code: 'job.code_failed', text });
  }
}

function giveUp(
  state: TickState,
  unit: UnitRow,
  replicas: readonly ReplicaRow[],
  reason: 'two_quorums' | 'attempts_exhausted',
): void {
  moveUnit(state, unit, 'give_up');
  withdrawUnclaimed(unit, unit.wanted);
  for (const replica of replicas) if (replica.state === 'revealed') endResult(state, replica.id, 'withdrawn');
  jobChange(state, unit.job).undecided += 1;
  const why = reason === 'two_quorums' ? 'two groups of results contradict each other' : 'too few results agreed';
  state.changes.failures.set(unit.job, { code: 'job.undecided', text: `${unitName(unit)} has no verdict: ${why}` });
}

function withdrawUnclaimed(unit: UnitRow, count: number): void {
  unit.planned -= count;
  unit.wanted -= count;
}

/** Ends a revealed replica; one that was revealed in this very tick is written once, with its end. */
function endResult(state: TickState, id: ReplicaId, end: ReplicaState): void {
  const replica = state.replicas.get(id);
  assert(replica !== undefined, 'a judged replica is loaded');
  replica.state = end;
  const reveal = state.changes.reveals.get(id);
  if (reveal) reveal.state = end;
  else state.changes.ends.push({ replica: id, state: end, reason: null });
}

function unitName(unit: UnitRow): string {
  return unit.kind === 'merge' ? 'the merge' : `unit ${unit.ordinal}`;
}

/** Notes that patience with a unit's replacements is over, and judges it. */
export function losePatience(state: TickState, unit: UnitRow): void {
  unit.patienceOver = true;
  touchUnit(state, unit);
  state.toJudge.add(unit.id);
}
