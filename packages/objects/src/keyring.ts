/** The regions' keys on disk: one random master key each, in a file that only its owner can read. */

import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault, regions, type Region } from '@assay/core';

/** What a store needs of one region's key: a key per object, and names that tell nothing. */
export interface RegionKeys {
  /** The 256-bit key of one object: HKDF-SHA256 of the region's key under the object's random salt. */
  objectKey(salt: Uint8Array): Uint8Array;
  /** 64 hex digits under which content is filed; without the region's key they do not lead back to its hash. */
  fileName(sha256: string): string;
}

/** The keys of all regions. */
export type Keyring = Readonly<Record<Region, RegionKeys>>;

interface KeyringFile {
  readonly version: 1;
  readonly keys: Readonly<Record<Region, string>>;
}

const hexKey = /^[0-9a-f]{64}$/;

/**
 * Reads the keyring at `path`, or makes it with fresh keys and mode 0600 when there is none. Two processes that start
 * together end up with the same keys. Faults `object.store_unavailable` where the file is readable by others or broken.
 */
export async function openKeyring(path: string): Promise<Keyring> {
  const text = (await readIfThere(path)) ?? (await createKeyring(path));
  const info = await stat(path);
  if ((info.mode & 0o077) !== 0) throw unusable(path, 'others may read it; set its mode to 0600');
  return keysOf(parse(path, text));
}

/** A keyring of keys given by the caller, for tests and for keys that come from a secret store. */
export function keyringOf(keys: Readonly<Record<Region, string>>): Keyring {
  return keysOf({ version: 1, keys });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function createKeyring(path: string): Promise<string> {
  const keys = Object.fromEntries(regions.map((region) => [region, randomBytes(32).toString('hex')]));
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ version: 1, keys })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link, unlike a rename, never replaces the keys that another process has just made.
    await link(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return await readFile(path, 'utf8');
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(path: string, text: string): KeyringFile {
  let value: Partial<KeyringFile>;
  try {
    value = JSON.parse(text) as Partial<KeyringFile>;
  } catch (cause) {
    throw unusable(path, 'it is not JSON', cause);
  }
  const keys = value.keys;
  if (value.version !== 1 || !keys || !regions.every((region) => hexKey.test(keys[region] ?? ''))) {
    throw unusable(path, 'it does not hold a 256-bit key for each region');
  }
  return { version: 1, keys };
}

function keysOf(file: KeyringFile): Keyring {
  return Object.fromEntries(regions.map((region) => [region, regionKeys(region, file.keys[region])])) as Keyring;
}

function regionKeys(region: Region, hex: string): RegionKeys {
  const master = Buffer.from(hex, 'hex');
  const derive = (salt: Uint8Array, purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', master, salt, `assay/${purpose}/1\n${region}`, 32));
  const nameKey = derive(new Uint8Array(0), 'object-name');
  return {
    objectKey: (salt) => derive(salt, 'object-key'),
    fileName: (sha256) => createHmac('sha256', nameKey).update(sha256).digest('hex'),
  };
}

function unusable(path: string, why: string, cause?: unknown): Fault {
  return new Fault('object.store_unavailable', `the keyring ${path} cannot be used: ${why}`, { cause, retry: false });
}
