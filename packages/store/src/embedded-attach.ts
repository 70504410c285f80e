/** A second look at an embedded server that another process runs: for commands that only read. */

import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { readPasswords } from './embedded-secret.ts';

/** The fifth line of PostgreSQL's lock file names the folder of its socket. */
const socketLine = 4;

/** How to connect to the server that runs on `dataDir`, or undefined when none has left its lock file. */
export async function runningPostgres(
  dataDir: string,
): Promise<((user: string, database: string) => string) | undefined> {
  const folder = await realpath(dataDir).catch(() => undefined);
  if (folder === undefined) return undefined;
  const lock = await readFile(join(folder, 'pgdata', 'postmaster.pid'), 'utf8').catch(() => undefined);
  const socketDir = lock?.split('\n')[socketLine]?.trim();
  if (!socketDir) return undefined;
  const passwordOf = await readPasswords(folder);
  return (user, database) =>
    `postgresql://${user}:${passwordOf(user)}@${encodeURIComponent(socketDir)}:5432/${database}`;
}
