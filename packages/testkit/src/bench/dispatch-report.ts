/** What runs of `bench dispatch` found: figures, and lines for people. */

import type { DispatchOptions } from './dispatch-options.ts';
import type { Machine } from './process-figures.ts';

/** Counters before or after a run. */
export interface Figures {
  readonly serverMs: number;
  readonly databaseMs: number;
  readonly workersMs: number;
  readonly busyMs: number;
  readonly walBytes: bigint;
  readonly transactions: bigint;
}

export interface Findings {
  readonly options: DispatchOptions;
  readonly before: Figures;
  readonly after: Figures;
  /** Until the last unit was verified, and until the last job was settled. */
  readonly verifiedMs: number;
  readonly settledMs: number;
  readonly requests: number;
  /** Results that were shown. */
  readonly revealed: number;
  readonly latencies: readonly number[];
  /** Over the whole life of the ledger, the warm-up included. */
  readonly ledgerTransactions: number;
}

/** The figures of one run; `perUnit` are microseconds of CPU, bytes and counts for each unit. */
export interface Summary {
  readonly settledPerSecond: number;
  readonly verifiedPerSecond: number;
  readonly executionsPerSecond: number;
  readonly perUnit: {
    readonly serverMicros: number;
    readonly databaseMicros: number;
    readonly workersMicros: number;
    readonly walBytes: number;
    readonly transactions: number;
    readonly requests: number;
  };
  /** Share of the machine's busy time that went to other programs. */
  readonly foreign: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly ledgerTransactions: number;
}

/** Puts the findings of a run in relation to its units and its time. */
export function summarise(findings: Findings): Summary {
  const { options, before, after, latencies, settledMs } = findings;
  const { units } = options;
  const micros = (key: 'serverMs' | 'databaseMs' | 'workersMs'): number =>
    Math.round(((after[key] - before[key]) * 1000) / units);
  const perUnit = {
    serverMicros: micros('serverMs'),
    databaseMicros: micros('databaseMs'),
    workersMicros: micros('workersMs'),
    walBytes: Math.round(Number(after.walBytes - before.walBytes) / units),
    transactions: Number(after.transactions - before.transactions) / units,
    requests: findings.requests / units,
  };
  const ours = ((perUnit.serverMicros + perUnit.databaseMicros + perUnit.workersMicros) * units) / 1000;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return {
    settledPerSecond: rate(units, settledMs),
    verifiedPerSecond: rate(units, findings.verifiedMs),
    executionsPerSecond: rate(findings.revealed, settledMs),
    perUnit,
    foreign: Math.max(0, 1 - ours / (after.busyMs - before.busyMs)),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    ledgerTransactions: findings.ledgerTransactions,
  };
}

/** The run whose rate is in the middle. */
export function medianOf(runs: readonly Summary[]): Summary {
  const sorted = runs.toSorted((a, b) => a.settledPerSecond - b.settledPerSecond);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('there was no run');
  return middle;
}

/** The lines. */
export function reportLines(options: DispatchOptions, machine: Machine, summary: Summary): string[] {
  const { perUnit } = summary;
  const together = perUnit.serverMicros + perUnit.databaseMicros + perUnit.workersMicros;
  return [
    `${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ` +
      `PostgreSQL ${machine.postgres}`,
    `${options.units} units × ${options.redundancy} replicas in ${options.jobs} jobs, ${options.workers} workers, ` +
      `${options.batch} results a request, after a warm-up of ${options.warmUp} units; ` +
      'fsync on, signed requests, embedded ledger, challenge window 0',
    `${options.runs > 1 ? `median of ${options.runs}: ` : ''}${summary.settledPerSecond} verified and settled units/s ` +
      `(${summary.verifiedPerSecond} verified units/s), ${summary.executionsPerSecond} executions/s`,
    `CPU a unit: server ${perUnit.serverMicros} µs, database ${perUnit.databaseMicros} µs, ` +
      `workers ${perUnit.workersMicros} µs, together ${together} µs; ` +
      `${(summary.foreign * 100).toFixed(0)} % of the machine’s busy time went to other programs`,
    `a unit: ${perUnit.walBytes} bytes of WAL, ${perUnit.transactions.toFixed(3)} transactions, ` +
      `${perUnit.requests.toFixed(3)} requests; a request p50 ${summary.p50Ms} ms, p99 ${summary.p99Ms} ms`,
    'every gate holds: all units verified, each replica paid once, the books agree, the ledger verifies',
  ];
}

function rate(count: number, ms: number): number {
  return Math.round((count * 1000) / ms);
}
