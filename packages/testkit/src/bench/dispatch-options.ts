/** What `bench dispatch` measures. */

import { parseArgs } from 'node:util';

export interface DispatchOptions {
  /** Work units over all jobs. */
  readonly units: number;
  readonly jobs: number;
  /** Simulated workers, each of another owner. */
  readonly workers: number;
  /** Commits, reveals and claims in one request. */
  readonly batch: number;
  readonly redundancy: number;
  /** Whether to print what each statement cost, which costs a little itself. */
  readonly statements: boolean;
}

/** Reads the command line; throws with the name of what is not known. */
export function readDispatchOptions(args: readonly string[]): DispatchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      units: { type: 'string', default: '10000' },
      jobs: { type: 'string', default: '10' },
      workers: { type: 'string', default: '100' },
      batch: { type: 'string', default: '10' },
      redundancy: { type: 'string', default: '3' },
      statements: { type: 'boolean', default: false },
    },
  });
  const whole = (name: Exclude<keyof typeof values, 'statements'>): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number of 1 or more`);
    return value;
  };
  return {
    units: whole('units'),
    jobs: whole('jobs'),
    workers: whole('workers'),
    batch: whole('batch'),
    redundancy: whole('redundancy'),
    statements: values.statements,
  };
}
