/** The clock of a contract server: what an organisation compares proposals with. */

import type { Clock } from '@assay/core';

export const systemClock: Clock = { nowMs: () => Date.now() };
