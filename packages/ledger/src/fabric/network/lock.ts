/** One command at a time works on a network. */

import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits, refuse } from '@assay/core';
import { isAlive } from './processes.ts';

/** Runs `work` while it holds the lock; the lock of a command that was killed does not count. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + limits.fabricStartMs;
  while (!(await take(path))) {
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    else if (performance.now() > deadline) {
      throw refuse(
        'store.locked',
        `another command (process ${holder}) works on the network; delete ${path} if it does not`,
      );
    } else await sleep(50);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
