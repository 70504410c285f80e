/** Inputs on this machine's disk, by SHA-256: downloaded once, checked while they arrive, oldest out first. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { limits, refuse, type Clock, type InputFile, type Sha256Hex, type Tree, type TreeFile } from '@assay/core';

export interface InputCache {
  /**
   * The files on this disk; they stay until `release`. Refuses `object.too_large` or `object.hash_mismatch` where the
   * source gives other bytes than listed.
   */
  hold(tree: Tree, source: (hash: Sha256Hex) => Promise<AsyncIterable<Uint8Array>>): Promise<HeldInputs>;
}

interface HeldInputs {
  readonly files: readonly InputFile[];
  release(): void;
}

export interface InputCacheDeps {
  readonly folder: string;
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** A cache in `folder`, which it owns. */
export function inputCache(deps: InputCacheDeps): InputCache {
  const uses = new Map<Sha256Hex, number>();
  const arriving = new Map<Sha256Hex, Promise<void>>();
  const room = cacheRoom(deps, uses);
  const pathOf = (hash: Sha256Hex) => join(deps.folder, hash);

  const fetchOne = async (file: TreeFile, source: Parameters<InputCache['hold']>[1]) => {
    const path = pathOf(file.sha256);
    const present = await stat(path).catch(() => undefined);
    if (present?.size === file.sizeBytes) {
      const now = deps.clock.nowMs() / 1000;
      await utimes(path, now, now);
      return;
    }
    if (present) room.free(present.size);
    await room.take(file.sizeBytes);
    try {
      await download(deps.folder, path, file, file.sizeBytes === 0 ? nothing() : await source(file.sha256));
    } catch (error) {
      room.free(file.sizeBytes);
      throw error;
    }
  };
  const ensure = (file: TreeFile, source: Parameters<InputCache['hold']>[1]) => {
    const running = arriving.get(file.sha256);
    if (running) return running;
    const started = fetchOne(file, source).finally(() => arriving.delete(file.sha256));
    arriving.set(file.sha256, started);
    return started;
  };
  return {
    async hold(tree, source) {
      await mkdir(deps.folder, { recursive: true, mode: 0o700 });
      const hashes = [...new Set(tree.map((file) => file.sha256))];
      for (const hash of hashes) uses.set(hash, (uses.get(hash) ?? 0) + 1);
      const release = () => {
        for (const hash of hashes) {
          const left = (uses.get(hash) ?? 1) - 1;
          if (left > 0) uses.set(hash, left);
          else uses.delete(hash);
        }
      };
      try {
        await inLanes(tree, (file) => ensure(file, source));
        return { files: tree.map((file) => ({ ...file, hostPath: pathOf(file.sha256) })), release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

/** The content of empty files: workers upload none, so that for a merge there may be no object to ask for. */
async function* nothing(): AsyncIterable<Uint8Array> {}

const arrivingPrefix = 'arriving-';

async function download(
  folder: string,
  path: string,
  file: TreeFile,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const arrival = join(folder, `${arrivingPrefix}${randomBytes(8).toString('hex')}`);
  const handle = await open(arrival, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > file.sizeBytes) throw refuse('object.too_large', `${file.path} is larger than listed`);
      hash.update(chunk);
      await handle.write(chunk);
    }
    if (bytes !== file.sizeBytes || hash.digest('hex') !== file.sha256) {
      throw refuse('object.hash_mismatch', `${file.path} does not have the content that is listed`);
    }
    await handle.close();
    await rename(arrival, path);
  } catch (error) {
    await handle.close();
    await rm(arrival, { force: true });
    throw error;
  }
}

/** Does all items, a few at a time; after a failure no further one is begun, and it is thrown when none is under way. */
async function inLanes<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  let failed = false;
  const lane = async () => {
    for (const item of left) {
      if (failed) return;
      try {
        await run(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limits.workerDownloads, items.length) }, lane);
  for (const ended of await Promise.allSettled(lanes)) if (ended.status === 'rejected') throw ended.reason;
}

interface CacheRoom {
  /** Makes room for that many bytes and counts them as used; files in use stay. */
  take(sizeBytes: number): Promise<void>;
  free(sizeBytes: number): void;
}

/** Counts the folder's bytes once and keeps the sum, since a job may have thousands of inputs. */
function cacheRoom(deps: InputCacheDeps, uses: ReadonlyMap<string, number>): CacheRoom {
  let usedBytes = 0;
  let counted = false;
  let turn: Promise<void> = Promise.resolve();
  const count = async () => {
    for (const file of await filesIn(deps.folder)) {
      // Nothing of ours arrives before the count, so this is what a crash left.
      if (file.name.startsWith(arrivingPrefix)) await rm(file.path, { force: true });
      else usedBytes += file.size;
    }
    counted = true;
  };
  const take = async (sizeBytes: number) => {
    if (!counted) await count();
    usedBytes += sizeBytes;
    if (usedBytes <= deps.maxBytes) return;
    for (const file of (await filesIn(deps.folder)).toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (usedBytes <= deps.maxBytes) return;
      if (uses.has(file.name) || file.name.startsWith(arrivingPrefix)) continue;
      await rm(file.path, { force: true });
      usedBytes -= file.size;
    }
  };
  return {
    take(sizeBytes) {
      const mine = turn.then(() => take(sizeBytes));
      turn = mine.catch(() => {});
      return mine;
    },
    free(sizeBytes) {
      usedBytes -= sizeBytes;
    },
  };
}

async function filesIn(folder: string) {
  const found: { readonly name: string; readonly path: string; readonly size: number; readonly mtimeMs: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const state = await stat(path).catch(() => undefined);
    if (state) found.push({ name, path, size: state.size, mtimeMs: state.mtimeMs });
  }
  return found;
}
