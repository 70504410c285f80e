/** What the simulation's command line may say. */

import { parseArgs } from 'node:util';
import { refuse } from '@assay/core';

export interface SimulationOptions {
  readonly seed: number;
  /** How many seeds, from the first one on. */
  readonly seeds: number;
}

/** Reads `--seed n --seeds k`; refuses `config.invalid`. */
export function readSimulationOptions(args: readonly string[]): SimulationOptions {
  const { values } = parseArgs({ args: [...args], options: { seed: { type: 'string' }, seeds: { type: 'string' } } });
  return { seed: whole('seed', values.seed ?? '1'), seeds: whole('seeds', values.seeds ?? '1') };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw refuse('config.invalid', `--${name} is a whole number`);
  return value;
}
