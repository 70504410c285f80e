/** Where bytes live: content-addressed, per region, encrypted at rest. */

import type { Sha256Hex } from '../hash.ts';

export type Region = 'ru' | 'eu' | 'us' | 'cn';
export const regions = ['ru', 'eu', 'us', 'cn'] as const satisfies readonly Region[];

export interface StoredObject {
  readonly sha256: Sha256Hex;
  readonly sizeBytes: number;
}

export interface PutLimits {
  /** The most bytes to accept; one more refuses `object.too_large`. */
  readonly maxBytes: number;
  /** When given, other content refuses `object.hash_mismatch`. */
  readonly expect?: Sha256Hex;
}

export interface ObjectStore {
  /** Stores the stream under its SHA-256; nothing stays behind on a refusal. Same content twice is one object. */
  put(region: Region, content: AsyncIterable<Uint8Array>, limits: PutLimits): Promise<StoredObject>;
  /** The plain bytes; refuses `object.not_found`, faults `object.corrupt` before the last chunk leaves. */
  get(region: Region, sha256: Sha256Hex): Promise<AsyncIterable<Uint8Array>>;
  /** The size, or undefined where there is no such object. */
  head(region: Region, sha256: Sha256Hex): Promise<StoredObject | undefined>;
  /** Forgets the object; not an error where there is none. */
  remove(region: Region, sha256: Sha256Hex): Promise<void>;
}
