/** Every attack, once. Timers fine enough for attacks of the Spectre kind are out of scope: see the runner's page. */

import type { Probe } from './probe.setup.ts';
import { kernelProbes } from './probes/kernel.setup.ts';
import { interpreterProbes } from './probes/leaks.setup.ts';
import { limitProbes } from './probes/limits.setup.ts';
import { nativeProbes } from './probes/native.setup.ts';
import { collectionProbes } from './probes/outputs.setup.ts';

export const probes: readonly Probe[] = [
  ...nativeProbes,
  ...kernelProbes,
  ...limitProbes,
  ...collectionProbes,
  ...interpreterProbes,
];
