import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holderOf, lockFolder } from './folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one in at a time', async () => {
  const unlock = await lockFolder(folder);
  expect(await holderOf(folder)).toBe(process.pid);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'worker.running' });
  await unlock();
  expect(await holderOf(folder)).toBeUndefined();
  const again = await lockFolder(folder);
  await again();
  expect(await readdir(folder)).toEqual([]);
});

it('lets exactly one of many in after a crash', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await writeFile(join(folder, 'running.1.pid'), `${child.pid} 1`);
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(folder)).toEqual(['running.2.pid']);
});

it.runIf(process.platform === 'linux')('knows a dead process whose number another one got', async () => {
  const unlock = await lockFolder(folder);
  const path = join(folder, 'running.1.pid');
  const mine = await readFile(path, 'utf8');
  await unlock();
  await writeFile(path, `${mine.split(' ')[0]} 17`);
  expect(await holderOf(folder)).toBeUndefined();
  await (
    await lockFolder(folder)
  )();
});
