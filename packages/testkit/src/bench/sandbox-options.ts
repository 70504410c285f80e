/** What `bench sandbox` measures. */

import { parseArgs } from 'node:util';

export interface SandboxBenchOptions {
  /** How often each start is made. */
  readonly runs: number;
  /** Containers that wait when replicas are counted. */
  readonly pool: number;
  /** Whether to print one JSON text instead of a table. */
  readonly json: boolean;
}

/** Reads the command line; throws with the name of what is not known. */
export function readSandboxOptions(args: readonly string[]): SandboxBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '20' },
      pool: { type: 'string', default: '48' },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'runs' | 'pool', min: number): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < min) throw new Error(`--${name} must be a whole number from ${min}`);
    return value;
  };
  return { runs: whole('runs', 1), pool: whole('pool', 3), json: values.json };
}
