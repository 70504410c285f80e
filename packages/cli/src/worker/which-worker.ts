/** Which of this machine's workers a command speaks of. */

import { basename } from 'node:path';
import { refuse } from '@assay/core';
import { readSettingsFile, workerFolder, workerFolders } from '@assay/worker';
import type { Arguments } from '../arguments.ts';
import { workerStateDirs } from '../config.ts';

/** The folders of this machine's workers. */
export async function allWorkers(): Promise<string[]> {
  return (await Promise.all(workerStateDirs().map(workerFolders))).flat();
}

/** The names of those below a state folder that joined a market. */
export async function members(stateDir: string): Promise<string[]> {
  const files = await Promise.all((await workerFolders(stateDir)).map(readSettingsFile));
  return files.flatMap((file) => file?.name ?? []);
}

/** The folder of the one worker that joined a market; undefined where none or several did. */
export async function onlyWorker(): Promise<string | undefined> {
  const folders = await allWorkers();
  const files = await Promise.all(folders.map(readSettingsFile));
  const [only, ...more] = folders.filter((_, index) => files[index] !== undefined);
  return more.length === 0 ? only : undefined;
}

/** The folder that `--name` names, else the only one there is; refuses `worker.not_found`. */
export async function whichWorker(args: Arguments): Promise<string> {
  const folders = await allWorkers();
  const places = workerStateDirs().join(' or ');
  const name = args.text('name');
  if (name !== undefined) {
    const named = folders.find((folder) => workerStateDirs().some((dir) => workerFolder(dir, name) === folder));
    if (named !== undefined) return named;
    throw refuse('worker.not_found', `no worker ${name} has its state in ${places}`);
  }
  const [only, ...more] = folders;
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined) {
    throw refuse('worker.not_found', `no worker has its state in ${places}: assay worker join URL makes one`);
  }
  throw refuse(
    'worker.not_found',
    `several workers are here: --name ${folders.map((one) => basename(one)).join(', ')}`,
  );
}
