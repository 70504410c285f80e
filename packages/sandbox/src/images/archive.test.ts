import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { imageArchive } from './archive.ts';
import { describeImage, digestOf } from './description.ts';
import { layersOf, type ImageRecord } from './record.ts';
import { readRecipe } from './recipe.ts';
import { tarHead } from './tar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const recipe = readRecipe('r');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function recordOf(bytes: Buffer): ImageRecord {
  const path = join(folder, 'root.tar');
  writeFileSync(path, bytes);
  const root = { layer: `sha256:${sha256(bytes)}`, layerBytes: bytes.length };
  const { config, manifest } = describeImage(recipe, 'amd64', layersOf(recipe, root));
  return {
    runner: recipe.runner,
    architecture: 'amd64',
    recipe: recipe.hash,
    image: digestOf(config),
    manifest: digestOf(manifest),
    programs: recipe.programs,
    packages: [],
    root: { ...root, path },
  };
}

test('every blob of the archive is what its name says, and all that is named is there', async () => {
  const record = recordOf(Buffer.alloc(1000, 'x'));
  writeFileSync(join(folder, 'image.tar'), await buffer(imageArchive(recipe, record)));
  const files = execFileSync('tar', ['-xvf', 'image.tar'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  const blobs = files.filter((file) => file.startsWith('blobs/'));
  for (const file of blobs) expect(sha256(read(file))).toBe(file.slice('blobs/sha256/'.length));
  const [docker] = JSON.parse(read('manifest.json').toString()) as [{ Config: string; Layers: string[] }];
  expect(docker.Config).toBe(`blobs/sha256/${record.image.slice(7)}`);
  expect(blobs).toEqual(expect.arrayContaining([docker.Config, ...docker.Layers]));
  const index = JSON.parse(read('index.json').toString()) as { manifests: [{ digest: string; size: number }] };
  expect(index.manifests[0].digest).toBe(record.manifest);
  expect(index.manifests[0].size).toBe(read(`blobs/sha256/${record.manifest.slice(7)}`).length);
  expect(JSON.parse(read(docker.Config).toString())).toMatchObject({
    rootfs: { diff_ids: docker.Layers.map((path) => `sha256:${path.slice('blobs/sha256/'.length)}`) },
  });
  const platform = execFileSync('tar', ['-tvf', docker.Layers[1] ?? ''], { cwd: folder, encoding: 'utf8' });
  expect(platform).toMatch(/^drwxr-xr-x 0\/0 .* platform\/$/m);
  expect(platform).toMatch(/^-rwxr-xr-x 0\/0 .* platform\/shim$/m);
});

test('the digests are those of the bytes alone', () => {
  expect(recordOf(Buffer.from('a'))).toEqual(recordOf(Buffer.from('a')));
  expect(recordOf(Buffer.from('a')).image).not.toBe(recordOf(Buffer.from('b')).image);
});

test('an entry that the format cannot hold is an error, not another entry', () => {
  const entry = { path: 'a', mode: 0o644, mtimeSeconds: 0 };
  expect(() => tarHead({ ...entry, path: 'a'.repeat(101) }, 0)).toThrow(RangeError);
  expect(() => tarHead(entry, 8 ** 11)).toThrow(RangeError);
  expect(
    tarHead(entry, 8 ** 11 - 1)
      .subarray(124, 136)
      .toString('latin1'),
  ).toBe('77777777777\0');
});
