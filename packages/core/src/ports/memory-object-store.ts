/** The first adapter of the object store: everything in memory, for tests and simulations. */

import { assert, refuse } from '../errors.ts';
import { parseSha256, toHex, type Sha256, type Sha256Hex } from '../hash.ts';
import type { ObjectStore, Region } from './object-store.ts';

/** An object store in memory. `chunkBytes` sets how much one chunk of an answer carries. */
export function memoryObjectStore(sha256: Sha256, chunkBytes = 64 * 1024): ObjectStore {
  const objects = new Map<string, Uint8Array>();
  return {
    async put(region, content, limits) {
      const whole = await gather(content, limits.maxBytes);
      const hash = parseSha256(toHex(sha256(whole)));
      assert(hash !== undefined, 'SHA-256 gives 32 bytes');
      if (limits.expect !== undefined && limits.expect !== hash) {
        throw refuse('object.hash_mismatch', `the content hashes to ${hash}, not ${limits.expect}`, { sha256: hash });
      }
      objects.set(keyOf(region, hash), whole);
      return { sha256: hash, sizeBytes: whole.length };
    },
    async get(region, hash) {
      const whole = objects.get(keyOf(region, hash));
      if (!whole) throw refuse('object.not_found', `no object ${hash} in ${region}`, { sha256: hash, region });
      return chunksOf(whole, chunkBytes);
    },
    async head(region, hash) {
      const whole = objects.get(keyOf(region, hash));
      return whole && { sha256: hash, sizeBytes: whole.length };
    },
    async remove(region, hash) {
      objects.delete(keyOf(region, hash));
    },
  };
}

function keyOf(region: Region, hash: Sha256Hex): string {
  return `${region}/${hash}`;
}

async function gather(content: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw refuse('object.too_large', `more than ${maxBytes} bytes`, { maxBytes });
    chunks.push(chunk.slice());
  }
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function* chunksOf(whole: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += chunkBytes) yield whole.slice(at, at + chunkBytes);
}
