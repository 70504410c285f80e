/** Makes the zip that a job is submitted as, from what the browser's pickers hand over. */

import { limits } from '@assay/core';
import { unzipSync, type Zippable } from 'fflate';
import { inWorker } from './in-worker.ts';
import { count, sizeText } from './words.ts';

export interface Bundle {
  readonly name: string;
  readonly zip: Blob;
  readonly manifest: Record<string, unknown>;
  readonly files: number;
}

const skipped = /(?:^|\/)(?:\.git|\.DS_Store|__pycache__|node_modules|Thumbs\.db)(?:\/|$)/;

/** Thrown with a sentence for the person who picked the files. */
export class BundleProblem extends Error {}

function parseManifest(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BundleProblem(`manifest.json is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BundleProblem('manifest.json must hold an object.');
  }
  return value as Record<string, unknown>;
}

/** What no market takes is not read into memory first. */
function requireSize(what: string, bytes: number, most: number): void {
  if (bytes > most) throw new BundleProblem(`${what} has ${sizeText(bytes)}; a job has at most ${sizeText(most)}.`);
}

/** A zip as it was picked is sent as it is; only its manifest is unpacked here, for the price. */
async function fromZip(file: File): Promise<Bundle> {
  requireSize(file.name, file.size, limits.bundleZipBytes);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let files = 0;
  let manifestBytes = 0;
  let found: Record<string, Uint8Array>;
  try {
    found = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!name.endsWith('/')) files += 1;
        if (name === 'manifest.json') manifestBytes = originalSize;
        return name === 'manifest.json' && originalSize <= limits.manifestBytes;
      },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BundleProblem(`${file.name} could not be read as a zip: ${why}.`);
  }
  requireSize('manifest.json', manifestBytes, limits.manifestBytes);
  const manifest = found['manifest.json'];
  if (!manifest) throw new BundleProblem(`${file.name} has no manifest.json at its top.`);
  return { name: file.name, zip: file, manifest: parseManifest(new TextDecoder().decode(manifest)), files };
}

/** A folder is zipped here, without its top-level name and without what no job needs. */
async function fromFolder(files: readonly File[]): Promise<Bundle> {
  const picked = files
    .map((file) => ({ file, path: file.webkitRelativePath.split('/').slice(1).join('/') || file.name }))
    .filter(({ path }) => !skipped.test(path));
  const manifestFile = picked.find(({ path }) => path === 'manifest.json');
  if (!manifestFile) throw new BundleProblem('The folder has no manifest.json at its top.');
  if (picked.length > limits.bundleFiles) {
    throw new BundleProblem(`The folder has ${count(picked.length, 'file')}; a job has at most ${limits.bundleFiles}.`);
  }
  for (const { file, path } of picked) requireSize(path, file.size, limits.bundleFileBytes);
  const whole = picked.reduce((bytes, { file }) => bytes + file.size, 0);
  requireSize('The folder', whole, limits.bundleUnpackedBytes);
  requireSize('manifest.json', manifestFile.file.size, limits.manifestBytes);
  const manifest = parseManifest(await manifestFile.file.text());
  const entries: Zippable = {};
  for (const { file, path } of picked) entries[path] = new Uint8Array(await file.arrayBuffer());
  const worker = new Worker(new URL('./zip-worker.ts', import.meta.url), { type: 'module' });
  const bytes = await inWorker<Uint8Array<ArrayBuffer>>(worker, entries);
  const name = files[0]?.webkitRelativePath.split('/')[0] ?? 'job';
  return { name, zip: new Blob([bytes], { type: 'application/zip' }), manifest, files: picked.length };
}

/** A bundle from one zip file or from the files of one folder. */
export async function makeBundle(files: readonly File[]): Promise<Bundle> {
  const [first] = files;
  if (first === undefined) throw new BundleProblem('Nothing was picked, or the folder is empty.');
  if (files.length === 1 && first.name.toLowerCase().endsWith('.zip')) return fromZip(first);
  return fromFolder(files);
}
