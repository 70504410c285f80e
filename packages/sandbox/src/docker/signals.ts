/** Signals by their number, as Linux counts them. */

import { constants } from 'node:os';

/** The name of a signal; undefined for none. */
export function signalName(signal: number): string | undefined {
  if (signal === 0) return undefined;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
