/** What a unit may ask of this driver. */

import { limits, refuse, type Details, type Refusal, type SandboxUnit } from '@assay/core';
import { admitFilesAndTexts } from '../admit-files.ts';
import { bounds } from './bounds.ts';
import { programOf, type Program } from './order.ts';
import type { RunnerImage } from './runner-image.ts';

export interface Admission {
  readonly image: RunnerImage;
  readonly program: Program;
}

function no(message: string, details: Details = {}): Refusal {
  return refuse('sandbox.refused', message, details);
}

const hostName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The image and program for the unit; refuses what this driver cannot hold. */
export function admit(unit: SandboxUnit, images: readonly RunnerImage[], egressAllowed: boolean): Admission {
  const image = images.find(({ runner }) => runner === unit.runner);
  if (!image) throw no('this driver does not run that runner', { runner: unit.runner });
  const program = programOf(unit.entryPoint);
  if (!program || !image.programs.includes(program)) {
    throw no('this runner does not run files of that kind', { entryPoint: unit.entryPoint });
  }
  admitLimits(unit);
  admitFilesAndTexts(unit);
  if ((unit.network?.length ?? 0) > 0 && !egressAllowed) throw no('this worker lets no unit reach the network');
  for (const { host, port } of unit.network ?? []) {
    if (!hostName.test(host)) throw no('a host to reach is no DNS name', { host });
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw no('a port to reach is none', { port });
  }
  return { image, program };
}

function admitLimits({ limits: { memoryBytes, wallMs, scratchBytes, cpuCores = 1 }, inputs, gpu }: SandboxUnit): void {
  if (!(memoryBytes >= bounds.memoryMinBytes && memoryBytes <= bounds.memoryMaxBytes)) {
    throw no('a container holds 64 MiB to 256 GiB of memory', { memoryBytes });
  }
  if (!(wallMs > 0 && Number.isFinite(wallMs))) throw no('a unit needs a time limit', { wallMs });
  if (!(scratchBytes >= 0 && Number.isSafeInteger(scratchBytes))) throw no('the scratch space has no size');
  if (!(cpuCores > 0 && cpuCores <= limits.cpuCores)) throw no('a unit needs a share of a processor', { cpuCores });
  const inputBytes = inputs.reduce((total, input) => total + input.sizeBytes, 0);
  // Files lie in memory: what cannot hold the inputs need not be started.
  if (!(inputBytes <= memoryBytes)) throw no('the inputs do not fit into the memory', { inputBytes, memoryBytes });
  if (gpu === true) throw no('this driver gives a unit no graphics processor');
}
