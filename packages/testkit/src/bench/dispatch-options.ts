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
  /** Units of a job that is run and settled before the clock starts, so that code is compiled and plans are made. */
  readonly warmUp: number;
  /** How often all of it is done, each time on a new database; the median counts. */
  readonly runs: number;
  /** Whether to print one JSON text instead of lines. */
  readonly json: boolean;
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
      'warm-up': { type: 'string', default: '5000' },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      statements: { type: 'boolean', default: false },
    },
  });
  const whole = (name: Exclude<keyof typeof values, 'statements' | 'json'>, min = 1): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < min)
      throw new Error(`--${name} must be a whole number of ${min} or more`);
    return value;
  };
  return {
    units: whole('units'),
    jobs: whole('jobs'),
    workers: whole('workers'),
    batch: whole('batch'),
    redundancy: whole('redundancy'),
    warmUp: whole('warm-up', 0),
    runs: whole('runs'),
    json: values.json,
    statements: values.statements,
  };
}
