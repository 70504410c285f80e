/** What a kill cuts short in a worker's folder: files that were being written, arriving inputs, marks of dead processes. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const cutShort = /\.writing$|^arriving-|^running\.\d+\.pid\.[0-9a-f]{12}$|\.building-[0-9a-f]{12}$/;
const folders = ['', 'inputs', 'sandbox/runtime'];

/** Removes it; only whoever has the folder's lock may. */
export async function removeHalfWritten(stateDir: string): Promise<void> {
  for (const folder of folders.map((name) => join(stateDir, name))) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (cutShort.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}
