import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { detectGpu } from './gpu.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-gpu-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const look = (runtimes: readonly string[] | undefined) =>
  detectGpu({ devices: join(folder, 'dev'), cards: join(folder, 'gpus'), runtimes: async () => runtimes });

it('finds none where there is none', async () => {
  expect(await look(['runc', 'nvidia'])).toEqual({ name: null, text: 'no graphics processor of NVIDIA' });
  await mkdir(join(folder, 'dev'));
  await writeFile(join(folder, 'dev', 'nvidiactl'), '');
  expect(await look(['runc', 'nvidia'])).toMatchObject({ name: null });
});

it('names a card only where an engine can pass it on', async () => {
  await mkdir(join(folder, 'dev'));
  await writeFile(join(folder, 'dev', 'nvidia0'), '');
  expect(await look(undefined)).toMatchObject({ name: null, text: expect.stringContaining('no Docker Engine') });
  expect(await look(['runc'])).toMatchObject({ name: null, text: expect.stringContaining('nvidia-container-toolkit') });
  expect(await look(['runc', 'nvidia'])).toMatchObject({ name: 'a card of NVIDIA' });
  await mkdir(join(folder, 'gpus', '0000:01:00.0'), { recursive: true });
  await writeFile(join(folder, 'gpus', '0000:01:00.0', 'information'), 'Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ: 1\n');
  expect(await look(['nvidia'])).toEqual({
    name: 'NVIDIA A100-SXM4-40GB',
    text: 'NVIDIA A100-SXM4-40GB; Docker could pass it on',
  });
});
