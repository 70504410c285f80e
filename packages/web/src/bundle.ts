/** Makes the zip that a job is submitted as, from what the browser's pickers hand over. */

import { zip, type Zippable } from 'fflate';

export interface Bundle {
  readonly name: string;
  readonly zip: Blob;
  readonly manifest: unknown;
  readonly files: number;
}

const skipped = /(?:^|\/)(?:\.git|\.DS_Store|__pycache__|node_modules|Thumbs\.db)(?:\/|$)/;

/** Thrown with a sentence for the person who picked the files. */
export class BundleProblem extends Error {}

/** A zip as it was picked is sent as it is; its manifest is read by the server. */
function fromZip(file: File): Bundle {
  return { name: file.name, zip: file, manifest: undefined, files: 1 };
}

/** A folder is zipped here, without its top-level name and without what no job needs. */
async function fromFolder(files: readonly File[]): Promise<Bundle> {
  const picked = files
    .map((file) => ({ file, path: file.webkitRelativePath.split('/').slice(1).join('/') || file.name }))
    .filter(({ path }) => !skipped.test(path));
  const manifestFile = picked.find(({ path }) => path === 'manifest.json');
  if (!manifestFile) throw new BundleProblem('The folder has no manifest.json at its top.');
  let manifest: unknown;
  try {
    manifest = JSON.parse(await manifestFile.file.text());
  } catch (error) {
    throw new BundleProblem(`manifest.json is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const entries: Zippable = {};
  for (const { file, path } of picked) entries[path] = new Uint8Array(await file.arrayBuffer());
  const bytes = await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    zip(entries, { level: 6 }, (error, data) => {
      if (error) reject(error);
      else resolve(new Uint8Array(data));
    });
  });
  const name = files[0]?.webkitRelativePath.split('/')[0] ?? 'job';
  return { name, zip: new Blob([bytes], { type: 'application/zip' }), manifest, files: picked.length };
}

/** A bundle from one zip file or from the files of one folder. */
export async function makeBundle(files: readonly File[]): Promise<Bundle> {
  const [first] = files;
  if (first === undefined) throw new BundleProblem('Nothing was picked.');
  if (files.length === 1 && first.name.toLowerCase().endsWith('.zip')) return fromZip(first);
  return fromFolder(files);
}
