/** What `bench sandbox` measures. */

import { parseArgs } from 'node:util';

export const sandboxKinds = ['runc', 'runsc', 'wasm'] as const;
export type SandboxKind = (typeof sandboxKinds)[number];

export interface SandboxBenchOptions {
  /** How often each start is made. */
  readonly runs: number;
  /** Sandboxes that wait when replicas are counted, where the memory holds them. */
  readonly pool: number;
  /** What is measured. */
  readonly only: readonly SandboxKind[];
  /** Whether to print one JSON text instead of a table. */
  readonly json: boolean;
}

/** Reads the command line; throws with the name of what is not known. */
export function readSandboxOptions(args: readonly string[]): SandboxBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '20' },
      pool: { type: 'string', default: '120' },
      only: { type: 'string', default: sandboxKinds.join() },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'runs' | 'pool', min: number): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < min) throw new Error(`--${name} must be a whole number from ${min}`);
    return value;
  };
  const only = values.only.split(',').map((kind) => {
    const known = sandboxKinds.find((one) => one === kind);
    if (!known) throw new Error(`--only takes ${sandboxKinds.join(', ')}`);
    return known;
  });
  return { only, runs: whole('runs', 1), pool: whole('pool', 3), json: values.json };
}
