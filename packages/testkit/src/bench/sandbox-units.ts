/** The units that `bench sandbox` runs. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSha256, type InputFile, type SandboxUnit } from '@assay/core';

const mebibyte = 1024 * 1024;

/** A unit of one file, laid into `folder`. */
export async function unitOf(
  folder: string,
  runner: string,
  entryPoint: string,
  content: string | Uint8Array,
): Promise<SandboxUnit> {
  return {
    label: 'bench',
    runner,
    entryPoint,
    args: [],
    inputs: [await lay(folder, entryPoint, Buffer.from(content))],
    outputDir: 'results',
    environment: {},
    limits: {
      wallMs: 60_000,
      memoryBytes: 256 * mebibyte,
      scratchBytes: 16 * mebibyte,
      outputFiles: 20,
      outputBytes: 4 * mebibyte,
      logBytes: 64 * 1024,
    },
  };
}

async function lay(folder: string, path: string, bytes: Buffer): Promise<InputFile> {
  await mkdir(folder, { recursive: true });
  const hostPath = join(folder, randomUUID());
  await writeFile(hostPath, bytes);
  const sha256 = parseSha256(createHash('sha256').update(bytes).digest('hex'));
  if (!sha256) throw new Error('SHA-256 in hex');
  return { path, hostPath, sizeBytes: bytes.length, sha256 };
}

export const plainPython = "open('results/sum', 'w').write(str(sum(range(1000))))\n";
export const numpyPython =
  "import numpy\nmean = numpy.random.default_rng(7).normal(size=20_000).mean()\nopen('results/mean', 'w').write(repr(mean))\n";
export const endlessPython = "print('up', flush=True)\nwhile True: pass\n";
export const plainR = "writeLines(as.character(sum(1:1000)), 'results/sum')\n";
/** `(module (memory (export "memory") 1 1) (func (export "_start")))` */
export const emptyWasm = Buffer.from(
  '0061736d01000000010401600000030201000504010101010713020 66d656d6f7279020006 5f737461727400000a040102000b'.replaceAll(
    ' ',
    '',
  ),
  'hex',
);
