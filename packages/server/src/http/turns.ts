/** Work that is costly takes turns: a few at once, some waiting, the rest is refused. */

import { refuse } from '@assay/core';

/** Runs `work` when it is its turn; refuses `request.rate_limited` when too many wait. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `atOnce` running and `waitingAtMost` waiting. */
export function takeTurns(atOnce: number, waitingAtMost: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= waitingAtMost) {
        throw refuse('request.rate_limited', 'too many are waiting already; try again', { waitMs: 1000 });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
