/** Folders that an unprivileged child can read and nobody but their owner can write. */

import { lstat, mkdir, chmod, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '@assay/core';

/** Where root stages for others to read when its own folders are closed to them. */
const openFolders = ['/var/cache/assay-sandbox', '/var/tmp/assay-sandbox'];

/** Whether every user may enter `path` (run it, for a file) and all folders above it. */
export async function reachable(path: string): Promise<boolean> {
  for (let at = await realpath(path); ; at = dirname(at)) {
    const state = await lstat(at);
    if ((state.mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * `wanted`, made where it is missing; for root one that others can read. Faults `sandbox.unavailable` where a folder
 * belongs to somebody else or others may write in it.
 */
export async function safeCacheFolder(wanted: string, forOthers: boolean): Promise<string> {
  const refusals: string[] = [];
  for (const folder of forOthers ? [wanted, ...openFolders] : [wanted]) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      const path = await realpath(folder);
      if (forOthers && !(await reachable(path))) {
        await chmod(path, 0o755);
        if (!(await reachable(path))) throw new Error('others cannot reach it');
      }
      const state = await lstat(path);
      if (!state.isDirectory()) throw new Error('it is no folder');
      if (state.uid !== process.getuid?.()) throw new Error('it belongs to another user');
      if ((state.mode & 0o022) !== 0) throw new Error('others can write in it');
      return path;
    } catch (error) {
      refusals.push(`${folder}: ${(error as Error).message}`);
    }
  }
  throw new Fault('sandbox.unavailable', `no folder for the sandbox's runtime (${refusals.join('; ')})`, {
    retry: false,
  });
}
