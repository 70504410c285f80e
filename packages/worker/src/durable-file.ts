/** Files that are whole or absent, also after a power cut. */

import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces `path` by `content`, readable by its owner only; returns once it is on the disk. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const building = `${path}.writing`;
  try {
    const file = await open(building, 'w', 0o600);
    try {
      await file.writeFile(content);
      // An administrator speaks to a service that has a user of its own, which must read it.
      if (process.getuid?.() === 0) {
        const { uid, gid } = await stat(dirname(path));
        await file.chown(uid, gid);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(building, path);
  } catch (error) {
    await rm(building, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}

/** Puts a file's bytes, or a folder's entries, on the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
