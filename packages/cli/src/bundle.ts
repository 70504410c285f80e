/** Packs a folder into the zip that a job is submitted as. */

import { openAsBlob } from 'node:fs';
import { mkdtemp, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { isSafePath, limits, refuse } from '@assay/core';
import { Zip, ZipDeflate } from 'fflate';

/** What no job needs and nobody means to upload. */
const skipped: ReadonlySet<string> = new Set([
  '.git',
  '.DS_Store',
  '__pycache__',
  'node_modules',
  '.venv',
  'Thumbs.db',
]);

interface PackedBundle {
  readonly zip: Blob;
  /** Removes the temporary file. */
  discard(): Promise<void>;
}

/** The paths of a folder's plain files, sorted; refuses what a bundle may not hold. */
export async function listFiles(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => {
    throw refuse('bundle.malformed', `there is no folder ${folder}`);
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (skipped.has(entry.name)) continue;
    const path = posix.join(prefix, entry.name);
    if (entry.isDirectory()) found.push(...(await listFiles(folder, path)));
    else if (!entry.isFile()) throw refuse('bundle.unsafe_entry', `${path} is a link or a special file; remove it`);
    else if (!isSafePath(path))
      throw refuse('bundle.unsafe_path', `${path} has a name that not every system can hold; rename it`);
    else found.push(path);
    if (found.length > limits.bundleFiles)
      throw refuse('bundle.too_large', `a bundle holds at most ${limits.bundleFiles} files`);
  }
  return found;
}

/** Zips `folder`, with `manifest` as its manifest.json. */
async function packFolder(folder: string, manifest: string): Promise<PackedBundle> {
  const paths = (await listFiles(folder)).filter((path) => path !== 'manifest.json');
  const scratch = await mkdtemp(join(tmpdir(), 'assay-bundle-'));
  const discard = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    const target = join(scratch, 'bundle.zip');
    const file = await open(target, 'wx', 0o600);
    const parts: Uint8Array[] = [];
    let failure: Error | undefined;
    const zip = new Zip((error, chunk) => {
      if (error) failure = error;
      else parts.push(chunk);
    });
    const flush = async (): Promise<void> => {
      if (failure) throw failure;
      for (const part of parts.splice(0)) await file.write(part);
    };
    const addFile = async (path: string, bytes: Uint8Array): Promise<void> => {
      const entry = new ZipDeflate(path, { level: 6 });
      entry.mtime = '1980-01-01';
      zip.add(entry);
      entry.push(bytes, true);
      await flush();
    };
    let total = 0;
    await addFile('manifest.json', new TextEncoder().encode(manifest));
    for (const path of paths) {
      total += (await stat(join(folder, path))).size;
      if (total > limits.bundleUnpackedBytes)
        throw refuse('bundle.too_large', 'the folder is larger than a bundle may be');
      await addFile(path, await readFile(join(folder, path)));
    }
    zip.end();
    await flush();
    await file.close();
    return { zip: await openAsBlob(target, { type: 'application/zip' }), discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Zips `folder`, hands the zip to `use`, and removes it whatever comes of that. */
export async function withFolderPacked<T>(
  folder: string,
  manifest: string,
  use: (packed: PackedBundle) => Promise<T>,
): Promise<T> {
  const packed = await packFolder(folder, manifest);
  try {
    return await use(packed);
  } finally {
    await packed.discard();
  }
}
