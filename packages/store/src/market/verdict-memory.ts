/**
 * Verdicts that no Contract.submitWork covers yet, as this server has written them, so that it need not read them again.
 * A verdict under its number never changes, and the counters of the locked job say which numbers are open: where one of
 * these is not remembered, all are read.
 */

import {
  limits,
  type JobAdvance,
  type JobId,
  type JobProgress,
  type OpenVerdict,
  type VerdictBatch,
} from '@assay/core';

export type NumberedVerdict = Omit<OpenVerdict, 'replicas'>;

/** What one transaction knows and adds. */
export interface VerdictTurn {
  /** Notes the counters of jobs, which are under its locks. */
  noteJobs(jobs: readonly JobProgress[]): void;
  /** Notes the verdicts that it writes. */
  noteAdvance(change: JobAdvance): void;
  /** The oldest open verdicts of a job, at most `limit`; undefined where they must be read. */
  open(job: JobId, limit: number): readonly NumberedVerdict[] | undefined;
  /** Notes what it submits. */
  noteSubmitted(batches: readonly VerdictBatch[]): void;
  /** After the commit. */
  keep(): void;
}

export interface VerdictMemory {
  turn(): VerdictTurn;
}

type ByNumber = Map<number, NumberedVerdict>;

/** An empty memory. */
export function createVerdictMemory(): VerdictMemory {
  const remembered = new Map<JobId, ByNumber>();
  return { turn: () => openTurn(remembered) };
}

function openTurn(remembered: Map<JobId, ByNumber>): VerdictTurn {
  const counters = new Map<JobId, { verdicts: number; submitted: number }>();
  const fresh: NumberedVerdict[] = [];
  return {
    noteJobs(jobs) {
      for (const { id, verdicts, verdictsSubmitted: submitted } of jobs) counters.set(id, { verdicts, submitted });
    },
    noteAdvance({ units, decided }) {
      const rows = new Map(units.map(({ row }) => [row.id, row]));
      for (const { agreeing: _, ...verdict } of decided) {
        const row = rows.get(verdict.unit);
        const counter = counters.get(verdict.job);
        if (row === undefined || counter === undefined) continue;
        fresh.push({ ...verdict, ordinal: row.ordinal, kind: row.kind });
        counter.verdicts = Math.max(counter.verdicts, verdict.number);
      }
    },
    open(job, limit) {
      const counter = counters.get(job);
      if (counter === undefined) return undefined;
      const known: ByNumber = new Map(fresh.filter((one) => one.job === job).map((one) => [one.number, one]));
      const open: NumberedVerdict[] = [];
      const end = Math.min(counter.verdicts, counter.submitted + limit);
      for (let number = counter.submitted + 1; number <= end; number += 1) {
        const verdict = known.get(number) ?? remembered.get(job)?.get(number);
        if (verdict === undefined) return undefined;
        open.push(verdict);
      }
      return open;
    },
    noteSubmitted(batches) {
      for (const { job, last } of batches) {
        const counter = counters.get(job);
        if (counter) counter.submitted = Math.max(counter.submitted, last);
      }
    },
    keep() {
      for (const verdict of fresh) {
        const known = remembered.get(verdict.job) ?? new Map();
        remembered.set(verdict.job, known.set(verdict.number, verdict));
      }
      for (const [job, { submitted }] of counters) forgetUntil(remembered, job, submitted);
      let size = 0;
      for (const known of remembered.values()) size += known.size;
      if (size > limits.cacheUnits) remembered.clear();
    },
  };
}

function forgetUntil(remembered: Map<JobId, ByNumber>, job: JobId, last: number): void {
  const known = remembered.get(job);
  if (known === undefined) return;
  for (const number of known.keys()) if (number <= last) known.delete(number);
  if (known.size === 0) remembered.delete(job);
}
