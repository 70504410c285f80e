/** Builds an image once per recipe, and enters it into the allowlist. */

import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assert, Fault, refuse } from '@assay/core';
import { exclusively } from '../docker/engine/exclusive.ts';
import { unmountBelow } from '../docker/engine/leftovers.ts';
import { alive, killAll, processesWith, readProcess } from '../docker/engine/processes.ts';
import { allowImage } from './allowlist.ts';
import { builtImage, rootFiles, rootFolder, thisArchitecture, type ImageRecord } from './record.ts';
import type { Recipe } from './recipe.ts';
import { buildRoot, workVariable, type RootOptions } from './root.ts';

export interface BuildOptions {
  /** Where images are kept. */
  readonly imagesDir: string;
  /** Builds anew from the packages of today even where the recipe's image is there. */
  readonly fresh?: boolean;
  readonly progress?: (step: string) => void;
  readonly stop?: AbortSignal;
}

const buildMs = 30 * 60_000;
const goneMs = 10_000;
let works = 0;

/** The recipe's image: the one that is there, or a new one. */
export async function buildImage(recipe: Recipe, options: BuildOptions): Promise<ImageRecord> {
  const { imagesDir, fresh = false, progress = () => undefined, stop = new AbortController().signal } = options;
  const architecture = thisArchitecture();
  if (architecture === undefined)
    throw refuse('sandbox.unavailable', `no image is made for ${process.arch} processors`);
  const folder = rootFolder(imagesDir, recipe, architecture);
  mkdirSync(imagesDir, { recursive: true });
  const record = await exclusively(
    `the image ${folder}`,
    async () => {
      const known = fresh ? undefined : builtImage(imagesDir, recipe);
      if (known) return known;
      await buildInto(folder, recipe, { imagesDir, architecture, progress, stop });
      return builtImage(imagesDir, recipe);
    },
    { patienceMs: buildMs },
  );
  assert(record, 'a built image can be read');
  const { runner, image, programs } = record;
  await allowImage(imagesDir, { runner, architecture, image, recipe: record.recipe, programs });
  return record;
}

async function buildInto(
  folder: string,
  recipe: Recipe,
  options: Omit<RootOptions, 'workDir' | 'path'> & { readonly imagesDir: string },
): Promise<void> {
  const work = await makeWorkFolder(options.imagesDir);
  try {
    const made = join(work, 'made');
    mkdirSync(made);
    const root = await buildRoot(recipe, { ...options, workDir: work, path: join(made, rootFiles.archive) });
    writeFileSync(join(made, rootFiles.record), `${JSON.stringify(root, undefined, 2)}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
    removeOlder(folder);
  } finally {
    await removeWorkFolder(work);
  }
}

/** Removes what earlier recipes of the same image left: a root folder is large, and made anew where it is missed. */
function removeOlder(folder: string): void {
  const parent = dirname(folder);
  const same = basename(folder).replace(/[0-9a-f]{16}(?=-\w+$)/, '');
  for (const name of readdirSync(parent)) {
    const isOlder = name !== basename(folder) && name.replace(/[0-9a-f]{16}(?=-\w+$)/, '') === same;
    if (isOlder) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** A new folder for one build, after removing those of builds whose process is gone. */
async function makeWorkFolder(imagesDir: string): Promise<string> {
  const parent = join(imagesDir, 'work');
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    const [pid, startTicks = ''] = name.split('-');
    if (!alive({ pid: Number(pid), startTicks })) await removeWorkFolder(join(parent, name));
  }
  works += 1;
  const folder = join(parent, `${process.pid}-${readProcess(process.pid)?.startTicks ?? ''}-${works}`);
  mkdirSync(folder);
  // The account that downloads packages passes through here.
  chmodSync(folder, 0o755);
  return folder;
}

/** Ends what still works there, and removes the folder. */
async function removeWorkFolder(folder: string): Promise<void> {
  await killAll(processesWith(workVariable, folder), goneMs);
  // Removing a folder with a mount in it would remove what is mounted.
  const mounted = unmountBelow(folder);
  if (mounted.length > 0) {
    throw new Fault('sandbox.fault', `an earlier build left a mount: ${mounted.join(', ')}`, { retry: true });
  }
  rmSync(folder, { recursive: true, force: true });
}
