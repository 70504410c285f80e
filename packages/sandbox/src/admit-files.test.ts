import { expect, it } from 'vitest';
import type { SandboxUnit, Sha256Hex } from '@assay/core';
import { conformanceLimits } from '@assay/core/conformance';
import { dockerDriver } from './docker/driver.ts';
import { wasmDriver } from './wasm/driver.ts';
import { pythonRunner } from './wasm/languages.ts';

const nowhere = '/nonexistent';
const input = (path: string) => ({ path, sizeBytes: 0, sha256: '0'.repeat(64) as Sha256Hex, hostPath: nowhere });
const images = [{ runner: pythonRunner, image: `sha256:${'0'.repeat(64)}`, programs: ['python' as const] }];
const drivers = [
  wasmDriver({ cacheDir: nowhere, workDir: nowhere }),
  dockerDriver({ socketPath: nowhere, workDir: nowhere, images, isolation: 'trusted' }),
];

const odd: [string, Partial<SandboxUnit>, RegExp][] = [
  ['a file as a folder', { inputs: [input('main.py'), input('a'), input('a/b/c')] }, /file and a folder/],
  ['a file as the folder of the results', { inputs: [input('main.py'), input('results')] }, /file and a folder/],
  ['a file above the results', { outputDir: 'a/b', inputs: [input('main.py'), input('a')] }, /file and a folder/],
  ['a path twice', { inputs: [input('main.py'), input('a'), input('a')] }, /one path/],
  ['no entry point', { inputs: [input('a.py')] }, /entry point/],
  ['a path that leaves', { inputs: [input('main.py'), input('../a')] }, /not safe/],
  ['a NUL in an argument', { args: ['a\0b'] }, /NUL/],
  ['a NUL in a variable', { environment: { A: 'a\0b' } }, /NUL/],
  ['a variable with an odd name', { environment: { 'A=B': 'c' } }, /proper name/],
];

it.each(odd)('%s is refused by every driver', async (_what, changes, sentence) => {
  const unit: SandboxUnit = {
    label: 'unit',
    runner: pythonRunner,
    entryPoint: 'main.py',
    args: [],
    inputs: [input('main.py')],
    outputDir: 'results',
    environment: {},
    limits: conformanceLimits,
    ...changes,
  };
  for (const driver of drivers) {
    const run = driver.run(unit, () => {}, new AbortController().signal);
    await expect(run).rejects.toMatchObject({
      code: 'sandbox.refused',
      message: expect.stringMatching(sentence) as string,
    });
  }
});
