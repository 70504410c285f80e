import { expect, test } from 'vitest';
import type { JobAdvance, JobId, JobProgress, ReplicaId, Sha256Hex, UnitId, UnitRow } from '@assay/core';
import { createVerdictMemory, type VerdictMemory } from './verdict-memory.ts';

const job = 'job_1' as JobId;

function progress(verdicts: number, verdictsSubmitted: number): JobProgress {
  return {
    id: job,
    state: 'funded',
    unitsTotal: 9,
    unitsAgreed: verdicts,
    unitsUndecided: 0,
    verdicts,
    verdictsSubmitted,
    verdictsSubmittedAtMs: null,
  };
}

/** Verdicts number `from` to `to`, each on the unit of that ordinal. */
function advance(from: number, to: number): JobAdvance {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return {
    jobs: [],
    decided: numbers.map((number) => ({
      unit: `unt_${number}` as UnitId,
      job,
      number,
      digest: 'd' as Sha256Hex,
      exitCode: 0,
      metric: null,
      canonical: 'rep_1' as ReplicaId,
      agreeing: 3,
    })),
    units: numbers.map((ordinal) => ({
      row: {
        id: `unt_${ordinal}` as UnitId,
        job,
        ordinal,
        kind: 'work',
        position: 1n,
        state: 'agreed',
        planned: 3,
        wanted: 0,
        patienceOver: false,
        machineClass: null,
        overdue: false,
      } satisfies UnitRow,
      opensReveal: false,
      wantsMore: false,
    })),
  };
}

function decide(memory: VerdictMemory, before: JobProgress, change: JobAdvance) {
  const turn = memory.turn();
  turn.noteJobs([before]);
  turn.noteAdvance(change);
  return turn;
}

const numbersOf = (found: readonly { readonly number: number; readonly ordinal: number }[] | undefined) =>
  found?.map(({ number, ordinal }) => [number, ordinal]);

test('open verdicts are those of this transaction and of committed ones, in order', () => {
  const memory = createVerdictMemory();
  decide(memory, progress(0, 0), advance(1, 2)).keep();
  const turn = decide(memory, progress(2, 0), advance(3, 3));
  expect(numbersOf(turn.open(job, 9))).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  expect(numbersOf(turn.open(job, 1))).toEqual([[1, 1]]);
  turn.noteSubmitted([{ job, first: 1, last: 2, proofHash: 'p' as Sha256Hex, resultHash: 'r' as Sha256Hex }]);
  expect(numbersOf(turn.open(job, 9))).toEqual([[3, 3]]);
});

test('what a transaction that did not commit wrote is not remembered', () => {
  const memory = createVerdictMemory();
  decide(memory, progress(0, 0), advance(1, 1));
  const next = memory.turn();
  next.noteJobs([progress(1, 0)]);
  expect(next.open(job, 9)).toBeUndefined();
});

test('verdicts of another server, and of jobs whose counters are not known, must be read', () => {
  const memory = createVerdictMemory();
  decide(memory, progress(0, 0), advance(1, 1)).keep();
  // Another server has decided number 2.
  const turn = decide(memory, progress(2, 0), advance(3, 3));
  expect(turn.open(job, 9)).toBeUndefined();
  expect(numbersOf(turn.open(job, 1))).toEqual([[1, 1]]);
  expect(memory.turn().open(job, 9)).toBeUndefined();
});

test('what was submitted is forgotten', () => {
  const memory = createVerdictMemory();
  const turn = decide(memory, progress(0, 0), advance(1, 2));
  turn.noteSubmitted([{ job, first: 1, last: 2, proofHash: 'p' as Sha256Hex, resultHash: 'r' as Sha256Hex }]);
  turn.keep();
  // Asked against the counters as they were, which no lock would show any more.
  const next = memory.turn();
  next.noteJobs([progress(2, 0)]);
  expect(next.open(job, 9)).toBeUndefined();
});
