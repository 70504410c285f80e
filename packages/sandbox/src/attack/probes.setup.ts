/** Every attack, once. Timers fine enough for attacks of the Spectre kind are out of scope: see the runner's page. */

import type { Probe } from './probe.setup.ts';
import { kernelProbes } from './probes/kernel.setup.ts';
import { interpreterProbes } from './probes/leaks.setup.ts';
import { limitProbes } from './probes/limits.setup.ts';
import { nativeProbes } from './probes/native.setup.ts';
import { collectionProbes } from './probes/outputs.setup.ts';
import { inR, rProbes } from './probes/r.setup.ts';
import { inWasi, wasiProbes } from './probes/wasi.setup.ts';

const all: readonly Probe[] = [
  ...nativeProbes,
  ...kernelProbes,
  ...limitProbes,
  ...collectionProbes,
  ...interpreterProbes,
  ...rProbes,
  ...wasiProbes,
];

export const probes: readonly Probe[] = all.map((probe) => {
  const [r, wasi] = [inR[probe.id], inWasi[probe.id]];
  const code = { ...probe.code, ...(r && { r }), ...(wasi && { wasi }) };
  const unsaid = Object.entries(probe.without ?? {}).filter(([language]) => !(language in code));
  return { ...probe, code, without: Object.fromEntries(unsaid) };
});
