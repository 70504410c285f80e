/** Makes folders for whoever named them. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { refuse } from '@assay/core';

/**
 * Makes a folder and those above it. Step by step: where a parent is there and takes no folder, as below /proc, the
 * recursive call of Node tries for ever. Refuses `config.invalid`.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  try {
    for (const folder of await missing(resolve(path))) {
      await mkdir(folder, { mode }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
  } catch (error) {
    throw refuse('config.invalid', `the folder ${path} cannot be made: ${(error as Error).message}`);
  }
}

/** The folder and those above it that are not there, from the top. */
async function missing(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory() === true) return [];
  if (found !== undefined) throw new Error(`${path} is no folder`);
  return [...(await missing(dirname(path))), path];
}
