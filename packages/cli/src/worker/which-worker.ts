/** Which of this machine's workers a command speaks of. */

import { basename } from 'node:path';
import { refuse } from '@assay/core';
import { workerFolder, workerFolders } from '@assay/worker';
import type { Arguments } from '../arguments.ts';
import { defaultStateDir } from '../config.ts';

/** The folder that `--name` names, else the only one there is; refuses `worker.not_found`. */
export async function whichWorker(args: Arguments): Promise<string> {
  const folders = await workerFolders(defaultStateDir());
  const name = args.text('name');
  if (name !== undefined) {
    const folder = workerFolder(defaultStateDir(), name);
    if (folders.includes(folder)) return folder;
    throw refuse('worker.not_found', `no worker ${name} has its state in ${defaultStateDir()}`);
  }
  const [only, ...more] = folders;
  if (only !== undefined && more.length === 0) return only;
  if (only === undefined) {
    throw refuse(
      'worker.not_found',
      `no worker has its state in ${defaultStateDir()}: assay worker join URL makes one`,
    );
  }
  throw refuse(
    'worker.not_found',
    `several workers are here: --name ${folders.map((one) => basename(one)).join(', ')}`,
  );
}
