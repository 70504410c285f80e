import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';

/** The files of a flat folder as a zip, with another manifest where one is given. */
export async function packFolder(folder: string, manifest?: object): Promise<Buffer> {
  const names = await readdir(folder);
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const));
  const own = manifest === undefined ? {} : { 'manifest.json': new TextEncoder().encode(JSON.stringify(manifest)) };
  return Buffer.from(zipSync({ ...Object.fromEntries(files), ...own }));
}
