/**
 * Takes a customer's zip in. Nothing is stored until everything has been checked: first the directory, then every byte is
 * unpacked once for its size, checksum and hash, then the caller may look at the manifest, and only then the files go to
 * the object store. A refusal therefore leaves nothing behind.
 */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  limits,
  refuse,
  Refusal,
  treeDigest,
  type ObjectStore,
  type Region,
  type Sha256Hex,
  type Tree,
  type TreeFile,
} from '@assay/core';
import { fromFdPromise, type ZipFile } from 'yauzl';
import { bundleLimits, readDirectory, type BundleEntry, type BundleLimits } from './zip-directory.ts';
import { malformed, readZipEnd } from './zip-end.ts';

/** What a bundle turned out to hold. */
export interface Bundle {
  readonly tree: Tree;
  /** The text of `manifest.json` at the root. */
  readonly manifestText: string;
  /** The digest of the tree. */
  readonly digest: Sha256Hex;
  /** Sum of the files' sizes. */
  readonly sizeBytes: number;
}

/** What a caller may add to the checks. */
export interface UnpackOptions {
  readonly bounds?: BundleLimits;
  /**
   * Called when all is checked and before anything is stored; a refusal thrown here leaves nothing behind. A region that
   * it returns is where the files go, since only the manifest tells.
   */
  readonly accept?: (bundle: Bundle) => Region | void | Promise<Region | void>;
}

const manifestName = 'manifest.json';

/**
 * Unpacks the zip at `path` into `objects` of `region`. Refuses `bundle.…` codes and `manifest.file_missing`; faults as
 * the object store does, in which case files already stored stay until objects without a reference are dropped.
 */
export async function unpackBundle(
  path: string,
  region: Region,
  objects: ObjectStore,
  options: UnpackOptions = {},
): Promise<Bundle> {
  const file = await open(path, 'r');
  try {
    const end = await readZipEnd(file);
    const zip = await zipErrors(() => fromFdPromise(file.fd, { autoClose: false, decodeStrings: false }));
    const entries = atRoot(await zipErrors(() => readDirectory(zip, end, options.bounds ?? bundleLimits)));
    const measured: TreeFile[] = [];
    for (const entry of entries) measured.push(await zipErrors(() => measure(zip, entry)));
    const bundle = await describeBundle(zip, entries, measured);
    const chosen = await options.accept?.(bundle);
    await storeAll(zip, entries, measured, chosen ?? region, objects);
    return bundle;
  } finally {
    await file.close();
  }
}

/** The entries with `manifest.json` at the root: a folder that holds everything is taken off. */
function atRoot(entries: readonly BundleEntry[]): BundleEntry[] {
  if (entries.some(({ path }) => path === manifestName)) return [...entries];
  const top = entries[0]?.path.split('/')[0] ?? '';
  const inTop = entries.every(({ path }) => path.startsWith(`${top}/`));
  if (!inTop || !entries.some(({ path }) => path === `${top}/${manifestName}`)) {
    throw refuse('manifest.file_missing', 'the bundle has no manifest.json at its root', { path: manifestName });
  }
  return entries.map(({ path, entry }) => ({ path: path.slice(top.length + 1), entry }));
}

async function describeBundle(
  zip: ZipFile,
  entries: readonly BundleEntry[],
  measured: readonly TreeFile[],
): Promise<Bundle> {
  const manifest = entries.find(({ path }) => path === manifestName) as BundleEntry;
  if (manifest.entry.uncompressedSize > limits.manifestBytes) {
    throw refuse('bundle.too_large', `manifest.json may have ${limits.manifestBytes} bytes`, { path: manifestName });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of plainBytes(zip, manifest)) chunks.push(chunk);
  const tree = measured.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    tree,
    manifestText: manifestTextOf(Buffer.concat(chunks)),
    digest: treeDigest((bytes) => createHash('sha256').update(bytes).digest(), tree),
    sizeBytes: tree.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}

function manifestTextOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('manifest.malformed', 'manifest.json is not UTF-8 text', {});
  }
}

async function measure(zip: ZipFile, { path, entry }: BundleEntry): Promise<TreeFile> {
  const hash = createHash('sha256');
  let checksum = 0;
  let sizeBytes = 0;
  for await (const chunk of plainBytes(zip, { path, entry })) {
    hash.update(chunk);
    checksum = crc32(chunk, checksum);
    sizeBytes += chunk.length;
  }
  if (checksum !== entry.crc32) throw malformed('the content of an entry does not match its checksum', { path });
  return { path, sizeBytes, sha256: hash.digest('hex') as Sha256Hex };
}

async function storeAll(
  zip: ZipFile,
  entries: readonly BundleEntry[],
  measured: readonly TreeFile[],
  region: Region,
  objects: ObjectStore,
): Promise<void> {
  const contents = new Map(
    measured.map((file, index) => [file.sha256, { file, entry: entries[index] as BundleEntry }]),
  );
  const waiting = contents.values();
  const store = async (): Promise<void> => {
    for (const { file, entry } of waiting) {
      if (await objects.head(region, file.sha256)) continue;
      await objects.put(region, plainBytes(zip, entry), { maxBytes: file.sizeBytes, expect: file.sha256 });
    }
  };
  // A disk makes several files durable in the time of one; all have ended before the zip is closed.
  const outcomes = await Promise.allSettled(Array.from({ length: limits.bundleStores }, store));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** The plain bytes of an entry; one byte more or less than it declares is an error of the zip reader. */
async function* plainBytes(zip: ZipFile, { entry }: BundleEntry): AsyncGenerator<Uint8Array> {
  const stream = await zip.openReadStreamPromise(entry);
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } finally {
    stream.destroy();
  }
}

/** Runs `work`; what the zip reader or the inflater throws becomes a refusal. */
async function zipErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { message } = error as Error;
    if (message.startsWith('too many bytes in the stream')) {
      throw refuse('bundle.bomb', 'an entry of the bundle unpacks to more than it declares', {});
    }
    throw malformed(message);
  }
}
