import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore, Region, Sha256Hex } from '@assay/core';
import { objectStoreConformance } from '@assay/core/conformance';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskStore } from './disk-store.ts';
import { keyringOf } from './keyring.ts';
import { frameBytes, sealedFrameBytes, headerBytes } from './sealed-frames.ts';

const clock = { nowMs: () => Date.UTC(2026, 10, 21) };
const keyring = keyringOf({ ru: '1'.repeat(64), eu: '2'.repeat(64), us: '3'.repeat(64), cn: '4'.repeat(64) });

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-objects-'));
  store = await openDiskStore({ folder, keyring, clock });
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

objectStoreConformance(
  'disk',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'assay-objects-suite-'));
    return {
      store: await openDiskStore({ folder: root, keyring, clock }),
      async corrupt(region, sha256) {
        const name = keyring[region].fileName(sha256);
        const path = join(root, region, name.slice(0, 2), name);
        const file = await readFile(path);
        file[file.length - 1] = (file.at(-1) as number) ^ 1;
        await writeFile(path, file);
      },
      async count() {
        const all = await readdir(root, { recursive: true, withFileTypes: true });
        return all.filter((entry) => entry.isFile()).length;
      },
      close: async () => await rm(root, { recursive: true, force: true }),
    };
  },
  { damage: true },
);

const bytes = (size: number, seed = 1): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 17) & 0xff));
const hashOfBytes = (content: Uint8Array): Sha256Hex => createHash('sha256').update(content).digest('hex') as Sha256Hex;

async function* chunked(content: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < content.length; i += size) yield content.subarray(i, i + size);
}

async function put(content: Uint8Array, region: Region = 'eu'): Promise<Sha256Hex> {
  return (await store.put(region, chunked(content), { maxBytes: content.length })).sha256;
}

async function read(sha256: Sha256Hex, region: Region = 'eu'): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of await store.get(region, sha256)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function files(): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function onlyFile(): Promise<string> {
  const [path, ...rest] = await files();
  expect(rest).toEqual([]);
  return path as string;
}

describe('what lies on the disk', () => {
  it('shows neither the content nor its hash, and differs between regions and between writes', async () => {
    const content = Buffer.from('a secret that must not be seen'.repeat(10));
    const sha256 = await put(content, 'eu');
    await put(content, 'us');
    const paths = await files();
    expect(paths).toHaveLength(2);
    const [first, second] = await Promise.all(paths.map(async (path) => await readFile(path)));
    expect(first?.includes('secret')).toBe(false);
    expect(first?.equals(second as Buffer)).toBe(false);
    for (const path of paths) expect(path).not.toContain(sha256);
    expect(new Set(paths.map((path) => path.split('/').at(-1))).size).toBe(2);
  });

  it('is readable by its owner only', async () => {
    await put(bytes(10));
    expect((await stat(await onlyFile())).mode & 0o077).toBe(0);
  });

  it('is one file for the same content put many times at once', async () => {
    const content = bytes(200_000);
    await Promise.all(Array.from({ length: 8 }, async () => await put(content)));
    await onlyFile();
    expect((await read(hashOfBytes(content))).equals(content)).toBe(true);
  });

  it('heals when the content is put again over a damaged file', async () => {
    const content = bytes(1000);
    const sha256 = await put(content);
    await writeFile(await onlyFile(), 'rubbish');
    await expect(read(sha256)).rejects.toMatchObject({ code: 'object.corrupt' });
    await put(content);
    expect((await read(sha256)).equals(content)).toBe(true);
  });

  it('cannot be read from another region, even when the file is carried over', async () => {
    const sha256 = await put(bytes(1000), 'eu');
    await expect(store.get('us', sha256)).rejects.toMatchObject({ code: 'object.not_found' });
    const from = await onlyFile();
    const name = keyring.us.fileName(sha256);
    await mkdir(join(folder, 'us', name.slice(0, 2)), { recursive: true });
    await rename(from, join(folder, 'us', name.slice(0, 2), name));
    await expect(read(sha256, 'us')).rejects.toMatchObject({ code: 'object.corrupt' });
  });

  it('faults when one object is filed under the name of another', async () => {
    const mine = await put(bytes(1000, 1));
    const minePath = await onlyFile();
    const other = await put(bytes(1000, 2));
    const otherPath = (await files()).find((path) => path !== minePath) as string;
    await rename(otherPath, minePath);
    await expect(read(mine)).rejects.toMatchObject({ code: 'object.corrupt' });
    await expect(store.get('eu', other)).rejects.toMatchObject({ code: 'object.not_found' });
  });
});

const frame = (file: Buffer, index: number): Buffer =>
  file.subarray(headerBytes + index * sealedFrameBytes, headerBytes + (index + 1) * sealedFrameBytes);
const header = (file: Buffer): Buffer => file.subarray(0, headerBytes);

describe('tampering', () => {
  it('is found for each single byte of a small file', async () => {
    const sha256 = await put(bytes(40));
    const path = await onlyFile();
    const honest = await readFile(path);
    for (let i = 0; i < honest.length; i += 1) {
      const evil = Buffer.from(honest);
      evil[i] = (evil[i] as number) ^ 1;
      await writeFile(path, evil);
      await expect(read(sha256), `byte ${i}`).rejects.toMatchObject({ code: 'object.corrupt' });
    }
  });

  it('is found for a byte anywhere in a file of several frames', async () => {
    const sha256 = await put(bytes(3 * frameBytes + 5));
    const path = await onlyFile();
    const honest = await readFile(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(honest.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const evil = Buffer.from(honest);
        evil[at] = (evil[at] as number) ^ mask;
        await writeFile(path, evil);
        await expect(read(sha256)).rejects.toMatchObject({ code: 'object.corrupt' });
      }),
      { numRuns: 60 },
    );
  });

  const rebuilt: Record<string, (file: Buffer) => Buffer> = {
    'cut after a whole frame': (file) => file.subarray(0, headerBytes + sealedFrameBytes),
    'cut inside a frame': (file) => file.subarray(0, headerBytes + 100),
    'cut to the header': (file) => file.subarray(0, headerBytes),
    emptied: () => Buffer.alloc(0),
    'frames swapped': (file) => Buffer.concat([header(file), frame(file, 1), frame(file, 0), frame(file, 2)]),
    'a frame repeated': (file) => Buffer.concat([header(file), frame(file, 0), frame(file, 0), frame(file, 2)]),
    'a frame left out': (file) => Buffer.concat([header(file), frame(file, 0), frame(file, 2)]),
    'a byte appended': (file) => Buffer.concat([file, Buffer.from([0])]),
    'the last frame appended again': (file) => Buffer.concat([file, frame(file, 2)]),
  };
  for (const [name, change] of Object.entries(rebuilt)) {
    it(`is found: ${name}`, async () => {
      const sha256 = await put(bytes(3 * frameBytes));
      const path = await onlyFile();
      await writeFile(path, change(await readFile(path)));
      await expect(read(sha256)).rejects.toMatchObject({ code: 'object.corrupt' });
    });
  }

  it('is found when the frames come from another object of the same region', async () => {
    const sha256 = await put(bytes(2 * frameBytes, 1));
    const path = await onlyFile();
    await put(bytes(2 * frameBytes, 2));
    const otherPath = (await files()).find((each) => each !== path) as string;
    const [mine, other] = [await readFile(path), await readFile(otherPath)];
    await writeFile(path, Buffer.concat([header(mine), frame(mine, 0), frame(other, 1)]));
    await expect(read(sha256)).rejects.toMatchObject({ code: 'object.corrupt' });
  });
});

describe('sizes', () => {
  for (const size of [0, 1, frameBytes - 1, frameBytes, frameBytes + 1, 2 * frameBytes, 5 * frameBytes + 7]) {
    it(`${size} bytes come back, and head knows the size without reading them`, async () => {
      const content = bytes(size);
      const sha256 = await put(content);
      expect(sha256).toBe(hashOfBytes(content));
      expect(await store.head('eu', sha256)).toEqual({ sha256, sizeBytes: size });
      expect((await read(sha256)).equals(content)).toBe(true);
    });
  }

  it('of any chunking give the same object', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 90_000 }), { maxLength: 6 }), async (parts) => {
        const content = Buffer.concat(parts);
        const source = (async function* () {
          yield* parts;
        })();
        const stored = await store.put('eu', source, { maxBytes: content.length });
        expect(stored).toEqual({ sha256: hashOfBytes(content), sizeBytes: content.length });
        expect((await read(stored.sha256)).equals(content)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe('a refused or interrupted write', () => {
  it('leaves no file: too large, wrong hash, a source that breaks', async () => {
    const content = bytes(100_000);
    const broken = (async function* () {
      yield content;
      throw new Error('the line went dead');
    })();
    await expect(store.put('eu', chunked(content), { maxBytes: 99_999 })).rejects.toMatchObject({
      code: 'object.too_large',
    });
    const expectOther = { maxBytes: 100_000, expect: hashOfBytes(bytes(3)) };
    await expect(store.put('eu', chunked(content), expectOther)).rejects.toMatchObject({
      code: 'object.hash_mismatch',
    });
    await expect(store.put('eu', broken, { maxBytes: 1e6 })).rejects.toThrow('the line went dead');
    expect(await files()).toEqual([]);
  });

  it('is swept at the next open when its process is gone, but not while it runs or is young elsewhere', async () => {
    const { promise: wait, resolve: release } = Promise.withResolvers<void>();
    const slow = store.put(
      'eu',
      (async function* () {
        yield bytes(10);
        await wait;
      })(),
      { maxBytes: 10 },
    );
    const drafts = join(folder, 'eu', 'drafts');
    await expect.poll(async () => await readdir(drafts)).toHaveLength(1);
    const [running = ''] = await readdir(drafts);
    const host = running.slice(0, 8);
    // Process ids end below 2^22 on Linux, so this one is nobody's.
    await writeFile(join(drafts, `${host}-99999999-${'0'.repeat(32)}`), 'left behind');
    await writeFile(join(drafts, `${host}-${process.pid}-${'1'.repeat(32)}`), 'of an earlier process with our id');
    await writeFile(join(drafts, `00000000-99999999-${'2'.repeat(32)}`), 'another machine, young');
    await writeFile(join(drafts, `00000000-99999999-${'3'.repeat(32)}`), 'another machine, old');
    await utimes(join(drafts, `00000000-99999999-${'3'.repeat(32)}`), 0, 0);
    await utimes(join(drafts, `00000000-99999999-${'2'.repeat(32)}`), clock.nowMs() / 1000, clock.nowMs() / 1000);
    await utimes(join(drafts, running), clock.nowMs() / 1000, clock.nowMs() / 1000);
    await openDiskStore({ folder, keyring, clock });
    expect((await readdir(drafts)).toSorted()).toEqual([running, `00000000-99999999-${'2'.repeat(32)}`].toSorted());
    release();
    const stored = await slow;
    expect((await read(stored.sha256)).equals(bytes(10))).toBe(true);
  });
});

describe('a disk that refuses', () => {
  it('holds no object in a file of an impossible size', async () => {
    const sha256 = await put(bytes(100));
    await writeFile(await onlyFile(), 'too short');
    await expect(store.head('eu', sha256)).rejects.toMatchObject({ code: 'object.corrupt' });
  });

  it('is a fault when the folder has gone', async () => {
    await rm(folder, { recursive: true });
    await expect(put(bytes(1))).rejects.toMatchObject({ code: 'object.store_unavailable', retry: true });
  });

  it('never leaves the root for a hostile hash or region', async () => {
    await expect(store.head('eu', '../../etc/passwd' as Sha256Hex)).rejects.toThrow('assertion failed');
    await expect(store.head('../eu' as Region, hashOfBytes(bytes(1)))).rejects.toThrow('assertion failed');
  });
});
