/** What Node makes of modules (types stripped, code compiled), kept by one command for the next of the same user. */

import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname } from 'node:path';

/**
 * Lets Node read compiled code from `folder` and write it there when the process ends. Node checks that an entry was
 * made of the module as it is now, but not by whom: who can write there decides what commands do. So it is used only
 * where `isOwn` holds; anywhere else a command starts as it would without.
 */
export function reuseCompiledCode(folder: string): void {
  if (isOwn(folder)) enableCompileCache(realpathSync(folder));
}

/**
 * Whether `folder`, made if it is missing, is closed to all but its owner, who is the user, and nobody but the user
 * and root can put another in its place. Not known on Windows, whose files have no modes.
 */
export function isOwn(folder: string): boolean {
  const user = process.getuid?.();
  if (user === undefined) return false;
  try {
    if (!existsSync(folder)) {
      const there = foldersAbove(folder).find((above) => existsSync(above));
      // Looked at before anything is made: root leaves nothing in a home that is still somebody else's after sudo.
      if (there === undefined || !isGuarded(realpathSync(there), user)) return false;
      mkdirSync(dirname(folder), { mode: 0o755, recursive: true });
      mkdirSync(folder, { mode: 0o700, recursive: true });
    }
    const found = realpathSync(folder);
    const { uid, mode } = lstatSync(found);
    return uid === user && (mode & 0o077) === 0 && foldersAbove(found).every((above) => isGuarded(above, user));
  } catch {
    // Whatever is in the way, a home that cannot be written for instance: commands work without.
    return false;
  }
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

/** In a folder with the sticky bit, such as /tmp, everybody may make files but nobody moves those of others. */
function isGuarded(folder: string, user: number): boolean {
  const { uid, mode } = lstatSync(folder);
  return (uid === 0 || uid === user) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
}
