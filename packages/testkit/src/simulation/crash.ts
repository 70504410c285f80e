/** How calls end that do not end well. */

import { Fault } from '@assay/core';

/** What a killed server leaves of its calls: an exception that nobody but the simulation handles. */
export class Crash extends Error {}

/** A broken connection: whether the call took effect is not known to the caller. */
export function connectionLost(): Fault {
  return new Fault('store.unavailable', 'the connection was lost', { retry: true });
}

/** Whether a step may end with this: its server died, or something outside failed and the step is tried again. */
export function isMishap(error: unknown): boolean {
  return error instanceof Crash || (error instanceof Fault && error.retry);
}
