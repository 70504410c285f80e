/** The allowlist of images for a service whose user cannot read the folder of whoever built them. */

import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programSettings } from '@assay/sandbox';

const listName = 'allowlist.json';

/** Where a worker keeps a copy of its own. */
export function ownImagesDir(folder: string): string {
  return join(folder, 'images');
}

/**
 * Brings the copy in the worker's folder up to date with `imagesDir`, or with this user's images where that is left out
 * or is the copy; returns whether it differed. The images themselves lie in the engine.
 */
export async function copyAllowlist(folder: string, imagesDir: string | undefined): Promise<boolean> {
  const own = ownImagesDir(folder);
  const from = imagesDir === undefined || imagesDir === own ? programSettings().imagesDir : imagesDir;
  const read = (dir: string) => readFile(join(dir, listName), 'utf8').catch(() => undefined);
  const [wanted, present] = await Promise.all([read(from), read(own)]);
  if (wanted === undefined || wanted === present) return false;
  await mkdir(own, { recursive: true, mode: 0o700 });
  await copyFile(join(from, listName), join(own, listName));
  return true;
}
