/** What a run of `bench dispatch` found, in lines for people. */

import type { DispatchOptions } from './dispatch-options.ts';
import { machineLine } from './process-figures.ts';

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
  readonly executions: number;
  readonly latencies: readonly number[];
  readonly ledgerTransactions: number;
}

/** The lines. */
export function reportLines(findings: Findings): string[] {
  const { options, before, after, latencies } = findings;
  const { units } = options;
  const spent = (key: 'serverMs' | 'databaseMs' | 'workersMs'): number => after[key] - before[key];
  const ours = spent('serverMs') + spent('databaseMs') + spent('workersMs');
  const foreign = Math.max(0, 1 - ours / (after.busyMs - before.busyMs));
  const micros = (ms: number): string => `${((ms * 1000) / units).toFixed(0)} µs`;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)} ms`;
  return [
    machineLine(),
    `${units} units × ${options.redundancy} replicas in ${options.jobs} jobs, ${options.workers} workers, ` +
      `${options.batch} results a request; fsync on, signed requests, embedded ledger, challenge window 0`,
    `${rate(units, findings.settledMs)} verified and settled units/s (${rate(units, findings.verifiedMs)} verified units/s), ` +
      `${rate(findings.executions, findings.settledMs)} executions/s`,
    `CPU a unit: server ${micros(spent('serverMs'))}, database ${micros(spent('databaseMs'))}, ` +
      `workers ${micros(spent('workersMs'))}, together ${micros(ours)}; ` +
      `${(foreign * 100).toFixed(0)} % of the machine’s busy time went to other programs`,
    `${findings.requests} requests, p50 ${at(0.5)}, p99 ${at(0.99)}`,
    `a unit: ${(Number(after.walBytes - before.walBytes) / units).toFixed(0)} bytes of WAL, ` +
      `${(Number(after.transactions - before.transactions) / units).toFixed(3)} transactions, ` +
      `${(findings.ledgerTransactions / units).toFixed(3)} ledger transactions`,
  ];
}

function rate(count: number, ms: number): string {
  return ((count * 1000) / ms).toFixed(0);
}
