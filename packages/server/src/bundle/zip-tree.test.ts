import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sha256Hex, TreeFile } from '@assay/core';
import { keyringOf, openDiskStore } from '@assay/objects';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackBundle } from './unpack-bundle.ts';
import { zipTree } from './zip-tree.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-zip-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function treeOf(files: Readonly<Record<string, Buffer>>): TreeFile[] {
  return Object.entries(files).map(([path, content]) => ({
    path,
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex') as Sha256Hex,
  }));
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function zipped(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const get = async (file: TreeFile): Promise<AsyncIterable<Uint8Array>> =>
    (async function* () {
      const content = files[file.path] as Buffer;
      for (let i = 0; i < content.length; i += 7000) yield content.subarray(i, i + 7000);
    })();
  return await collect(zipTree(treeOf(files), get));
}

async function broken(): Promise<AsyncIterable<Uint8Array>> {
  return (async function* () {
    yield Buffer.from('half');
    throw new Error('the disk is gone');
  })();
}

const sample = {
  'manifest.json': Buffer.from('{}'),
  'data/b.csv': Buffer.from('1,2\n'.repeat(20_000)),
  'data/a.bin': Buffer.alloc(0),
};

describe('a zip of a tree', () => {
  it('unpacks to the same tree, whatever the files hold', async () => {
    const keyring = keyringOf({ ru: '1'.repeat(64), eu: '2'.repeat(64), us: '3'.repeat(64), cn: '4'.repeat(64) });
    const objects = await openDiskStore({ folder: join(folder, 'objects'), keyring, clock: { nowMs: () => 0 } });
    const content = fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes));
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(names, fc.infiniteStream(content), async (paths, contents) => {
        const files: Record<string, Buffer> = { 'manifest.json': Buffer.from('{}') };
        for (const path of paths) files[`d/${path}`] = contents.next().value;
        const path = join(folder, 'tree.zip');
        await writeFile(path, await zipped(files));
        const bundle = await unpackBundle(path, 'eu', objects);
        expect(bundle.tree).toEqual(treeOf(files).toSorted((a, b) => (a.path < b.path ? -1 : 1)));
      }),
      { numRuns: 30 },
    );
  });

  it('has the same bytes each time, in whatever order the tree comes', async () => {
    const first = await zipped(sample);
    const reversed = Object.fromEntries(Object.entries(sample).toReversed()) as typeof sample;
    expect((await zipped(reversed)).equals(first)).toBe(true);
    expect(first.length).toBeLessThan(2000);
  });

  it('of nothing is an empty zip', async () => {
    expect(await zipped({})).toHaveLength(22);
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!python)('passes the test of python’s zipfile (needs python3)', async () => {
    const path = join(folder, 'tree.zip');
    await writeFile(path, await zipped(sample));
    const code = 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*z.namelist())';
    const run = spawnSync('python3', ['-c', code, path], { encoding: 'utf8' });
    expect(run.stdout.trim()).toBe('data/a.bin data/b.csv manifest.json');
  });

  it('is refused before its first byte when it would be too large', async () => {
    const huge = [{ path: 'a', sizeBytes: 2 ** 32, sha256: 'a'.repeat(64) as Sha256Hex }];
    const chunks = zipTree(huge, () => Promise.reject(new Error('not asked for')));
    await expect(chunks.next()).rejects.toMatchObject({ code: 'request.too_large' });
  });

  it('ends with the error of a file that cannot be read', async () => {
    const zip = zipTree(treeOf({ a: Buffer.from('halfhalf') }), broken);
    await expect(collect(zip)).rejects.toThrow('the disk is gone');
  });

  it('lets go of its source when the reader leaves', async () => {
    let closed = false;
    const endless = async (): Promise<AsyncIterable<Uint8Array>> =>
      (async function* () {
        try {
          for (;;) yield Buffer.alloc(100_000, 'x');
        } finally {
          closed = true;
        }
      })();
    for await (const chunk of zipTree(treeOf({ a: Buffer.from('x') }), endless)) {
      expect(chunk.length).toBeGreaterThan(0);
      if (chunk.length > 100) break;
    }
    await expect.poll(() => closed).toBe(true);
  });
});
