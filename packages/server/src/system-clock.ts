/** The machine's clock and its source of ids. */

import { randomBytes } from 'node:crypto';
import { uuidV7Source, type Clock, type IdSource } from '@assay/core';

export const systemClock: Clock = { nowMs: () => Date.now() };

const poolBytes = 8192;
let pool = randomBytes(0);
let used = 0;

/** Random bytes cut from a larger draw, because each draw is a call into the kernel; none is used twice. */
function pooledRandom(count: number): Uint8Array {
  if (used + count > pool.length) {
    pool = randomBytes(Math.max(poolBytes, count));
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}

/** Ids from the system's clock and CSPRNG. */
export const systemIds: IdSource = uuidV7Source(() => Date.now(), pooledRandom);
