/** The data folder of the embedded server: made whole or not at all, and only opened by the version that made it. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Fault, refuse } from '@assay/core';
import { isOpenToOthers, serverUser, type Binaries, type ServerUser } from './embedded-binaries.ts';

/** A data folder ready to be served. */
export interface Cluster {
  readonly pgdata: string;
  /** Set when the server must run as another user than this process. */
  readonly user: ServerUser | undefined;
  /** How the server's user names the folder: its own working directory where it may not enter the folders above. */
  readonly dataArgument: string;
}

/** Opens the cluster in `pgdata`, made first when there is none; refuses `store.version_mismatch`. */
export async function openCluster(pgdata: string, binaries: Binaries, password: string): Promise<Cluster> {
  const existing = await stat(join(pgdata, 'PG_VERSION')).catch(() => undefined);
  if (!existing) await createCluster(pgdata, binaries, password);
  const major = (await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch(() => 'something else')).trim();
  if (major !== String(binaries.major)) {
    throw refuse('store.version_mismatch', `${pgdata} was made by PostgreSQL ${major}; this is ${binaries.major}`, {});
  }
  const owner = await stat(pgdata);
  // Data made by an ordinary user stays that user's when root serves it.
  const user = serverUser() && (owner.uid === 0 ? serverUser() : { uid: owner.uid, gid: owner.gid });
  return { pgdata, user, dataArgument: await dataArgument(pgdata, user) };
}

/** A folder for the server's socket that only this user and the server's can enter. */
export async function socketFolder(name: string, user: ServerUser | undefined): Promise<string> {
  const uid = user?.uid ?? process.getuid?.() ?? 0;
  for (const root of [tmpdir(), '/tmp', '/var/tmp']) {
    if (user && !(await isOpenToOthers(root).catch(() => false))) continue;
    const folder = join(root, name);
    await mkdir(folder, { mode: 0o700 }).then(
      () => user && chown(folder, user.uid, user.gid),
      () => undefined,
    );
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  }
  throw new Fault('store.unavailable', 'no folder for the socket can be made', { cause: undefined, retry: false });
}

async function createCluster(pgdata: string, binaries: Binaries, password: string): Promise<void> {
  await removeDrafts(pgdata);
  const draft = `${pgdata}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const user = serverUser();
  await mkdir(draft, { mode: 0o700 });
  if (user) await chown(draft, user.uid, user.gid);
  try {
    const argument = await dataArgument(draft, user);
    // The user of the server cannot always reach a file beside the data, so the password lies in the socket's root.
    const folder = await socketFolder(`assay-pg-${randomBytes(8).toString('hex')}`, user);
    try {
      const file = join(folder, 'password');
      await writeFile(file, password, { mode: 0o600, flag: 'wx' });
      if (user) await chown(file, user.uid, user.gid);
      await initialise(binaries, argument, draft, file, user);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await chmod(draft, 0o700);
    await rename(draft, pgdata).catch((error: NodeJS.ErrnoException) => {
      // Another start was faster: its folder serves as well.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initialise(
  binaries: Binaries,
  argument: string,
  cwd: string,
  passwordFile: string,
  user: ServerUser | undefined,
): Promise<void> {
  const args = ['-D', argument, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  args.push(
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  );
  const child = spawn(join(binaries.binDir, 'initdb'), args, {
    cwd,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : Buffer.concat(output).toString('utf8').trim()));
  });
  if (problem === undefined) return;
  throw new Fault('store.unavailable', `initdb failed: ${problem}`, { cause: undefined, retry: false });
}

/** On Linux a process may name its working directory even where it may not enter the folders above it. */
async function dataArgument(folder: string, user: ServerUser | undefined): Promise<string> {
  if (!user || (await isOpenToOthers(dirname(folder)))) return folder;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new Fault('store.unavailable', `user ${user.uid} may not enter ${dirname(folder)}`, {
    cause: undefined,
    retry: false,
  });
}

/** Removes what a start that was killed half-way through left behind. */
async function removeDrafts(pgdata: string): Promise<void> {
  for (const name of await readdir(dirname(pgdata))) {
    const pid = new RegExp(`^${basename(pgdata)}\\.(\\d+)\\.[0-9a-f]{8}$`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // The killed start's initdb may still write for a moment; what cannot be removed now is at a later start.
    const draft = join(dirname(pgdata), name);
    await rm(draft, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
