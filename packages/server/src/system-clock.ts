/** The machine's clock and its source of ids. */

import { randomBytes } from 'node:crypto';
import { uuidV7Source, type Clock, type IdSource } from '@assay/core';

export const systemClock: Clock = { nowMs: () => Date.now() };

/** Ids from the system's clock and CSPRNG. */
export const systemIds: IdSource = uuidV7Source(() => Date.now(), randomBytes);
