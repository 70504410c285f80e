/** One command at a time works on a network. */

import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits, refuse } from '@assay/core';
import { markedProcess, processMark } from './process-identity.ts';

/** Runs `work` while it holds the lock; the lock of a command that was killed does not count. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + limits.fabricStartMs;
  const own = await processMark(process.pid);
  while (!(await take(path, own))) {
    if (performance.now() > deadline) {
      const holder = (await contentOf(path)).split(' ')[0];
      throw refuse(
        'store.locked',
        `another command (process ${holder}) works on the network; delete ${path} if it does not`,
      );
    }
    await sleep(50);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, own: string): Promise<boolean> {
  if (await create(path, own)) return true;
  const holder = await contentOf(path);
  // Empty between being made and being written to.
  if (holder === '' || (await markedProcess(holder)) !== undefined) return false;
  // Only one may delete it: a second would delete the lock of whoever took it after the first. What guards that is a
  // lock as well, for the case that a command is killed right here.
  const guard = `${path}.old`;
  if (!(await take(guard, own))) return false;
  try {
    if ((await contentOf(path)) === holder) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
  return create(path, own);
}

async function contentOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function create(path: string, own: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(own);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
