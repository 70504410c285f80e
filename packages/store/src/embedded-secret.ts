/** The secret beside the data from which the passwords of the database's roles derive. */

import { createHmac, randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The password of a role. */
export type PasswordOf = (role: string) => string;

/** Reads the secret of `dataDir`, made at the first call and readable by this user only. */
export async function readPasswords(dataDir: string): Promise<PasswordOf> {
  const path = join(dataDir, 'secret');
  let secret = await readFile(path, 'utf8').catch(() => undefined);
  if (secret === undefined) {
    const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
    // A link, unlike a rename, leaves the secret of a start that was faster.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(draft);
    secret = await readFile(path, 'utf8');
  }
  const key = secret;
  return (role) => createHmac('sha256', key).update(role).digest('base64url');
}
