/** What `bench sandbox` found, beside the goals. */

import { cpus, release, totalmem } from 'node:os';

export interface Row {
  readonly name: string;
  /** Milliseconds, of each start. */
  readonly samples?: readonly number[];
  /** Replicas each second. */
  readonly rate?: number;
  /** The most that the 90th percentile may be, or the least that the rate may be. */
  readonly goal?: number;
  /** Why there are no figures. */
  readonly skipped?: string;
}

/** A row, or why there is none. */
export async function rowOf(
  name: string,
  goal: number | undefined,
  measure: () => Promise<Partial<Row>>,
): Promise<Row> {
  const common = { name, ...(goal === undefined ? {} : { goal }) };
  try {
    return { ...common, ...(await measure()) };
  } catch (error) {
    return { ...common, skipped: error instanceof Error ? error.message : String(error) };
  }
}

/** The value below which `share` of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export interface Finding {
  readonly name: string;
  readonly unit: 'ms' | 'replicas/s';
  readonly runs: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly rate?: number;
  readonly goal?: number;
  readonly verdict: 'holds' | 'missed' | 'skipped' | '';
  readonly skipped?: string;
}

/** A row as figures. */
export function findingOf({ name, samples = [], rate, goal, skipped }: Row): Finding {
  const unit = rate === undefined ? 'ms' : 'replicas/s';
  const common = { name, unit, ...(goal === undefined ? {} : { goal }) } as const;
  if (skipped !== undefined) return { ...common, runs: 0, verdict: 'skipped', skipped };
  if (rate !== undefined) {
    return { ...common, runs: 1, rate: Math.round(rate), verdict: verdictOf(goal, rate >= (goal ?? 0)) };
  }
  const p90 = percentile(samples, 0.9);
  const figures = { p50: Math.round(percentile(samples, 0.5)), p90: Math.round(p90) };
  return { ...common, runs: samples.length, ...figures, verdict: verdictOf(goal, p90 <= (goal ?? 0)) };
}

function verdictOf(goal: number | undefined, holds: boolean): Finding['verdict'] {
  if (goal === undefined) return '';
  return holds ? 'holds' : 'missed';
}

/** The machine in a line. */
export function machineLine(load: number): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return (
    `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} GiB, Linux ${release()}, Node ${process.version}; ` +
    `load before: ${load.toFixed(1)}`
  );
}

/** The table for people. */
export function tableOf(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ name, unit, runs, p50, p90, rate, goal, verdict, skipped }) => {
    const bound = goal === undefined ? '' : `${unit === 'ms' ? '≤' : '≥'} ${goal}`;
    if (skipped !== undefined) return [name, '', '', '', bound, `skipped: ${skipped}`];
    if (rate !== undefined) return [name, '', '', `${rate}/s`, bound, verdict];
    return [name, String(runs), String(p50), String(p90), bound, verdict];
  });
  const all = [['', 'runs', 'p50 ms', 'p90', 'goal', 'verdict'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column > 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
