/** Inputs on this machine's disk, by SHA-256: downloaded once, checked while they arrive, oldest out first. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse, type Clock, type InputFile, type Sha256Hex, type Tree, type TreeFile } from '@assay/core';

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
  const pathOf = (hash: Sha256Hex) => join(deps.folder, hash);

  const fetchOne = async (file: TreeFile, source: Parameters<InputCache['hold']>[1]) => {
    const path = pathOf(file.sha256);
    const present = await stat(path).catch(() => undefined);
    if (present?.size === file.sizeBytes) {
      const now = deps.clock.nowMs() / 1000;
      await utimes(path, now, now);
      return;
    }
    await makeRoom(deps, uses, file.sizeBytes);
    await download(deps.folder, path, file, await source(file.sha256));
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
        for (const file of tree) await ensure(file, source);
        return { files: tree.map((file) => ({ ...file, hostPath: pathOf(file.sha256) })), release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

async function download(
  folder: string,
  path: string,
  file: TreeFile,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const arrival = join(folder, `arriving-${randomBytes(8).toString('hex')}`);
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

/** Removes what was not used for longest until `needed` bytes fit; files in use stay. */
async function makeRoom(deps: InputCacheDeps, uses: ReadonlyMap<string, number>, needed: number): Promise<void> {
  const kept: { path: string; size: number; mtimeMs: number; used: boolean }[] = [];
  for (const name of await readdir(deps.folder)) {
    const path = join(deps.folder, name);
    const state = await stat(path).catch(() => undefined);
    const used = uses.has(name) || name.startsWith('arriving-');
    if (state) kept.push({ path, size: state.size, mtimeMs: state.mtimeMs, used });
  }
  let total = kept.reduce((sum, file) => sum + file.size, needed);
  for (const file of kept.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= deps.maxBytes) return;
    if (file.used) continue;
    await rm(file.path, { force: true });
    total -= file.size;
  }
}
