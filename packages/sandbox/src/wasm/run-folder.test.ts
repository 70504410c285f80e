import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { abandoned, openRunFolder } from './run-folder.ts';

let workDir: string;
beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'assay-runs-'));
});
afterEach(() => rm(workDir, { recursive: true, force: true }));

it('keeps the runs of a driver that lives, whatever their label', async () => {
  const folders = [await openRunFolder(workDir, 'rep_1'), await openRunFolder(workDir, '../a.b/c')];
  expect(await abandoned(workDir)).toBe(0);
  expect((await readdir(workDir)).toSorted()).toEqual(folders.map(({ path }) => basename(path)).toSorted());
});

it('removes runs of drivers that are no more, also where a kill came before any note or within one', async () => {
  const { path } = await openRunFolder(workDir, 'rep_1');
  const [label, owner = '', tail] = basename(path).split('.');
  const dead = `${owner.split('-')[0]}-start-1`;
  await mkdir(join(workDir, `${label}.${dead}.${tail}`));
  await mkdir(join(workDir, `cut.${dead}.${tail}`));
  await writeFile(join(workDir, `cut.${dead}.${tail}`, 'run.json'), '{"child":[1');
  expect(await abandoned(workDir)).toBe(2);
  expect(await readdir(workDir)).toEqual([basename(path)]);
});
