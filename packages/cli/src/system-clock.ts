/** The machine's clock, for commands that need nothing else of a server. */

import type { Clock } from '@assay/core';

export const systemClock: Clock = { nowMs: () => Date.now() };
