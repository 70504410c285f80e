/** What every object store must do; each adapter runs this suite. */

import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fault, Refusal } from '../errors.ts';
import { parseSha256, type Sha256Hex } from '../hash.ts';
import { regions, type ObjectStore, type Region } from './object-store.ts';

export interface ObjectStoreHarness {
  readonly store: ObjectStore;
  /** Damages one stored object behind the store's back; left out where the adapter has no back. */
  corrupt?(region: Region, sha256: Sha256Hex): Promise<void>;
  /** How many objects and leftovers (temporary files, unfinished uploads) are stored in all regions. */
  count?(): Promise<number>;
  close?(): Promise<void>;
}

const maxBytes = 1024 * 1024;

/** Runs the suite on the stores that `make` opens; `damage` says that the harness can corrupt. */
export function objectStoreConformance(
  name: string,
  make: () => Promise<ObjectStoreHarness>,
  abilities: { readonly damage: boolean } = { damage: false },
): void {
  describe(`object store: ${name}`, () => {
    let harness: ObjectStoreHarness;
    let store: ObjectStore;
    beforeAll(async () => {
      harness = await make();
      store = harness.store;
    });
    afterAll(async () => harness.close?.());

    it('gives back what was put, under its hash and size', async () => {
      const stored = await store.put('eu', chunks('hello ', 'world'), { maxBytes });
      expect(stored).toEqual({ sha256: hashOfText('hello world'), sizeBytes: 11 });
      expect(await readAll(store, 'eu', stored.sha256)).toEqual(bytes('hello world'));
      expect(await store.head('eu', stored.sha256)).toEqual(stored);
    });

    it('keeps the empty object', async () => {
      const stored = await store.put('eu', chunks(), { maxBytes: 0 });
      expect(stored).toEqual({ sha256: hashOfText(''), sizeBytes: 0 });
      expect(await readAll(store, 'eu', stored.sha256)).toEqual(bytes(''));
    });

    it('does not depend on how the bytes are cut into chunks', async () => {
      const content = fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(content, async (parts) => {
          const whole = Buffer.concat(parts);
          const stored = await store.put('us', stream(parts), { maxBytes });
          expect(stored).toEqual({ sha256: hashOfBytes(whole), sizeBytes: whole.length });
          expect(Buffer.compare(await readAll(store, 'us', stored.sha256), whole)).toBe(0);
        }),
        { numRuns: 25 },
      );
    });

    it('takes a megabyte and the exact limit', async () => {
      const whole = new Uint8Array(maxBytes).map((_, index) => (index * 31) % 251);
      const stored = await store.put('eu', stream([whole.subarray(0, 700_001), whole.subarray(700_001)]), { maxBytes });
      expect(Buffer.compare(await readAll(store, 'eu', stored.sha256), whole)).toBe(0);
    });

    it('does not keep a view on the caller’s buffers', async () => {
      const reused = bytes('first');
      const stored = await store.put('eu', stream([reused]), { maxBytes });
      reused.set(bytes('other'));
      expect(await readAll(store, 'eu', stored.sha256)).toEqual(bytes('first'));
    });

    it('refuses one byte more than the limit and keeps nothing', async () => {
      const before = await harness.count?.();
      expect(await codeOf(store.put('eu', chunks('12345', '6789'), { maxBytes: 8 }))).toBe('object.too_large');
      expect(await store.head('eu', hashOfText('123456789'))).toBeUndefined();
      expect(await harness.count?.()).toBe(before);
    });

    it('refuses content other than expected and keeps nothing', async () => {
      const before = await harness.count?.();
      const expected = hashOfText('what was promised');
      const put = store.put('eu', chunks('what was sent'), { maxBytes, expect: expected });
      expect(await codeOf(put)).toBe('object.hash_mismatch');
      expect(await store.head('eu', hashOfText('what was sent'))).toBeUndefined();
      expect(await store.head('eu', expected)).toBeUndefined();
      expect(await harness.count?.()).toBe(before);
    });

    it('takes content as expected', async () => {
      const expected = hashOfText('as promised');
      expect(await store.put('eu', chunks('as promised'), { maxBytes, expect: expected })).toMatchObject({
        sha256: expected,
      });
    });

    it('passes on the failure of a stream and keeps nothing', async () => {
      const before = await harness.count?.();
      await expect(store.put('eu', broken('half of it'), { maxBytes })).rejects.toThrow('the line broke');
      expect(await store.head('eu', hashOfText('half of it'))).toBeUndefined();
      expect(await harness.count?.()).toBe(before);
    });

    it('refuses to get what is not there', async () => {
      expect(await codeOf(readAll(store, 'eu', hashOfText('never put')))).toBe('object.not_found');
      expect(await store.head('eu', hashOfText('never put'))).toBeUndefined();
    });

    it('keeps regions apart', async () => {
      for (const region of regions) {
        const { sha256 } = await store.put(region, chunks(`only in ${region}`), { maxBytes });
        for (const other of regions) {
          expect((await store.head(other, sha256)) !== undefined, `${region} seen from ${other}`).toBe(
            other === region,
          );
        }
      }
    });

    it('forgets, also twice, and only in the named region', async () => {
      const { sha256 } = await store.put('eu', chunks('to be forgotten'), { maxBytes });
      await store.put('us', chunks('to be forgotten'), { maxBytes });
      await store.remove('eu', sha256);
      await store.remove('eu', sha256);
      expect(await store.head('eu', sha256)).toBeUndefined();
      expect(await codeOf(readAll(store, 'eu', sha256))).toBe('object.not_found');
      expect(await store.head('us', sha256)).toBeDefined();
      await store.put('eu', chunks('to be forgotten'), { maxBytes });
      expect(await readAll(store, 'eu', sha256)).toEqual(bytes('to be forgotten'));
    });

    it('makes one object of the same content put many times at once', async () => {
      const { sha256 } = await store.put('eu', chunks('the same'), { maxBytes });
      const before = await harness.count?.();
      const puts = Array.from({ length: 8 }, () => store.put('eu', chunks('the ', 'same'), { maxBytes }));
      expect(new Set((await Promise.all(puts)).map((one) => one.sha256))).toEqual(new Set([sha256]));
      expect(await readAll(store, 'eu', sha256)).toEqual(bytes('the same'));
      expect(await harness.count?.()).toBe(before);
    });

    it('serves several readers at once, also when one of them leaves early', async () => {
      const whole = new Uint8Array(300_000).map((_, index) => (index * 7) % 253);
      const { sha256 } = await store.put('eu', stream([whole]), { maxBytes });
      for await (const chunk of await store.get('eu', sha256)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      const readers = Array.from({ length: 4 }, () => readAll(store, 'eu', sha256));
      for (const read of await Promise.all(readers)) expect(Buffer.compare(read, whole)).toBe(0);
    });

    if (!abilities.damage) return;
    it('never hands out damaged content as whole', async () => {
      const whole = new Uint8Array(200_000).fill(7);
      const { sha256 } = await store.put('eu', stream([whole]), { maxBytes });
      await harness.corrupt?.('eu', sha256);
      expect(await codeOf(readAll(store, 'eu', sha256))).toBe('object.corrupt');
    });
  });
}

async function readAll(store: ObjectStore, region: Region, sha256: Sha256Hex): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of await store.get(region, sha256)) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Refusal || error instanceof Fault) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

function bytes(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}
function chunks(...parts: string[]): AsyncIterable<Uint8Array> {
  return stream(parts.map(bytes));
}
async function* stream(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
async function* broken(part: string): AsyncGenerator<Uint8Array> {
  yield bytes(part);
  throw new Error('the line broke');
}

function hashOfText(content: string): Sha256Hex {
  return hashOfBytes(bytes(content));
}
function hashOfBytes(content: Uint8Array): Sha256Hex {
  const hash = parseSha256(createHash('sha256').update(content).digest('hex'));
  if (!hash) throw new Error('unreachable');
  return hash;
}
