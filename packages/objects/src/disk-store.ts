/** Objects on a disk: one encrypted file each, filed under a name that only the region's key can make. */

import { createHash } from 'node:crypto';
import { mkdir, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  assert,
  Fault,
  parseSha256,
  refuse,
  regions,
  type Clock,
  type ObjectStore,
  type PutLimits,
  type Refusal,
  type Region,
  type Sha256Hex,
  type StoredObject,
} from '@assay/core';
import { openDraft, sweepDrafts, type Draft } from './draft-file.ts';
import { frames } from './frame-buffer.ts';
import { syncFolder, type Keyring } from './keyring.ts';
import {
  corrupt,
  frameBytes,
  headerBytes,
  newHeader,
  opener,
  plainSize,
  sealedFrameBytes,
  sealer,
} from './sealed-frames.ts';

/** What the disk store works with. */
export interface DiskStoreDeps {
  /** Made when it is missing. */
  readonly folder: string;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** Opens the store and sweeps what interrupted writes left. Any number of processes may share a folder. */
export async function openDiskStore(deps: DiskStoreDeps): Promise<ObjectStore> {
  const root = resolve(deps.folder);
  await onDisk(async () => {
    for (const region of regions) {
      await mkdir(draftsOf(root, region), { recursive: true, mode: 0o700 });
      await sweepDrafts(draftsOf(root, region), deps.clock);
    }
  });
  const pathOf = (region: Region, sha256: Sha256Hex): string => {
    assert(regions.includes(region), 'a region that we know');
    assert(parseSha256(sha256) !== undefined, 'a SHA-256 in hex');
    const name = deps.keyring[region].fileName(sha256);
    return join(root, region, name.slice(0, 2), name);
  };
  return {
    put: async (region, content, limits) => {
      const draft = await onDisk(() => openDraft(draftsOf(root, region)));
      try {
        const stored = await writeSealed(draft, deps.keyring, region, content, limits);
        const target = pathOf(region, stored.sha256);
        await onDisk(async () => {
          const made = await mkdir(dirname(target), { recursive: true, mode: 0o700 });
          await draft.keep(target);
          await syncFolder(dirname(target));
          if (made !== undefined) await syncFolder(dirname(dirname(target)));
        });
        return stored;
      } finally {
        await draft.drop();
      }
    },
    get: async (region, sha256) => {
      const path = pathOf(region, sha256);
      if ((await sizeOf(path)) === undefined) throw notFound(sha256);
      return { [Symbol.asyncIterator]: () => readSealed(path, deps.keyring, region, sha256) };
    },
    head: async (region, sha256) => {
      const fileBytes = await sizeOf(pathOf(region, sha256));
      if (fileBytes === undefined) return undefined;
      const sizeBytes = plainSize(fileBytes);
      if (sizeBytes === undefined) throw corrupt('its file has an impossible size');
      return { sha256, sizeBytes };
    },
    remove: async (region, sha256) => {
      await onDisk(() => rm(pathOf(region, sha256), { force: true }));
    },
  };
}

function draftsOf(root: string, region: Region): string {
  return join(root, region, 'drafts');
}

async function writeSealed(
  draft: Draft,
  keyring: Keyring,
  region: Region,
  content: AsyncIterable<Uint8Array>,
  limits: PutLimits,
): Promise<StoredObject> {
  const header = newHeader();
  const seal = sealer(keyring[region], header);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await onDisk(() => draft.file.write(header));
  for await (const frame of frames(bounded(content, limits.maxBytes), frameBytes)) {
    hash.update(frame.bytes);
    sizeBytes += frame.bytes.length;
    const sealed = seal.seal(frame.bytes, frame.last);
    await onDisk(() => draft.file.writeFile(sealed));
  }
  const sha256 = hash.digest('hex') as Sha256Hex;
  if (limits.expect !== undefined && sha256 !== limits.expect) {
    throw refuse('object.hash_mismatch', 'the content does not have the announced hash', {
      expected: limits.expect,
      actual: sha256,
    });
  }
  return { sha256, sizeBytes };
}

async function* bounded(content: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of content) {
    total += chunk.length;
    if (total > maxBytes) throw refuse('object.too_large', `an object here may have ${maxBytes} bytes`, { maxBytes });
    yield chunk;
  }
}

async function* readSealed(
  path: string,
  keyring: Keyring,
  region: Region,
  sha256: Sha256Hex,
): AsyncGenerator<Uint8Array> {
  const file = await onDisk(() => open(path, 'r')).catch((error: unknown) => {
    if (error instanceof Fault && isMissing(error.cause)) throw notFound(sha256);
    throw error;
  });
  try {
    const { size } = await onDisk(() => file.stat());
    if (plainSize(size) === undefined) throw corrupt('its file has an impossible size');
    const unseal = opener(keyring[region], await readExactly(file, 0, headerBytes));
    const hash = createHash('sha256');
    for (let offset = headerBytes; offset < size; offset += sealedFrameBytes) {
      const length = Math.min(sealedFrameBytes, size - offset);
      const last = offset + length === size;
      const plain = unseal.open(await readExactly(file, offset, length), last);
      hash.update(plain);
      // The last bytes leave only when the whole is what was asked for: a whole file could have been swapped.
      if (last && hash.digest('hex') !== sha256) throw corrupt('it holds other content');
      if (plain.length > 0) yield plain;
    }
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await onDisk(() => file.read(buffer, filled, length - filled, offset + filled));
    if (bytesRead === 0) throw corrupt('its file ends early');
    filled += bytesRead;
  }
  return buffer;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const info = await onDisk(() => stat(path));
    return info.size;
  } catch (error) {
    if (error instanceof Fault && isMissing(error.cause)) return undefined;
    throw error;
  }
}

function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

function notFound(sha256: Sha256Hex): Refusal {
  return refuse('object.not_found', 'there is no such object in this region', { sha256 });
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Fault('object.store_unavailable', 'the disk refused a file operation', { cause, retry: true });
  }
}
