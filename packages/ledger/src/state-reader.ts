/** The committed state, as contracts and validation read it. Keys are ordered by the bytes of their UTF-8. */

import type { StateVersion } from '@assay/core';

export interface StateEntry {
  readonly key: string;
  readonly value: string;
  readonly version: NonNullable<StateVersion>;
}

/** One change of a key. */
export interface KeyChange {
  readonly txId: string;
  readonly value: string | null;
  readonly atMs: number;
  readonly version: NonNullable<StateVersion>;
}

export interface StateReader {
  /** The entries of those keys that exist. */
  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, StateEntry>>;
  /** At most `limit` entries with `start <= key < end` that come after `after`; an empty `end` has no bound. */
  scan(start: string, end: string, after: string | null, limit: number): Promise<readonly StateEntry[]>;
  /** Every valid change of a key, newest first. */
  history(key: string): Promise<readonly KeyChange[]>;
}

/** Half of a code point beyond the first 65,536. */
const surrogate = /[\ud800-\udfff]/;

/** Compares by code point, which is the order of UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  // Only with surrogates is the order of UTF-16 another one.
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether `key` lies in the range. */
export function inRange(key: string, start: string, end: string): boolean {
  return compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0);
}

/** Reads single keys for code that runs side by side: what is asked for in one turn goes out as one query. */
export function batchedGet(reader: StateReader): (key: string) => Promise<StateEntry | undefined> {
  let waiting: Promise<ReadonlyMap<string, StateEntry>> | undefined;
  let keys = new Set<string>();
  return async (key) => {
    keys.add(key);
    waiting ??= Promise.resolve().then(async () => {
      // One more turn of the queue lets the others that wait for the same answer ask as well.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const batch = [...keys];
      keys = new Set();
      waiting = undefined;
      return reader.getMany(batch);
    });
    return (await waiting).get(key);
  };
}
