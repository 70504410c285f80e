/** Which containers can serve a unit. */

import { limits, type SandboxUnit } from '@assay/core';
import { bounds } from './bounds.ts';
import type { CellClass, RuntimeName } from './container-body.ts';
import type { RunnerImage } from './runner-image.ts';

const pageBytes = 4096;
const mebibyte = 1024 * 1024;

/** What a unit needs of a container. Inputs are rounded up, so that units of one job fall into one class. */
export function classOf(
  { limits: bound, inputs, network }: SandboxUnit,
  image: RunnerImage,
  runtime: RuntimeName,
): CellClass {
  const files = inputs.reduce((sum, input) => sum + Math.ceil(input.sizeBytes / pageBytes) * pageBytes, 0);
  const inputBytes = mebibyte * 2 ** Math.ceil(Math.log2(Math.max(1, files / mebibyte)));
  const inputFiles = 2 ** Math.ceil(Math.log2(Math.max(64, inputs.length * 8)));
  return {
    runtime,
    image: image.image,
    memoryBytes: bound.memoryBytes,
    cpuCores: bound.cpuCores ?? 1,
    tmpfsBytes: inputBytes + Math.max(bound.scratchBytes, bounds.scratchMinBytes),
    tmpfsFiles: inputFiles + limits.sandboxScratchFiles,
    fileBytes: Math.max(bound.scratchBytes, inputBytes),
    connects: (network?.length ?? 0) > 0,
    ahead: [],
  };
}
