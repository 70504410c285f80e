/**
 * Committed state that the writer has read or written before. It belongs to one head of the chain: whoever holds the
 * head's lock and finds another hash there than the cache's starts with an empty one, be it that another server made a
 * block or that a transaction of ours was rolled back.
 */

import { limits } from '@assay/core';
import type { StateEntry, StateReader } from './state-reader.ts';

export interface StateCache {
  /** Reads through the cache; `head` is the hash of the block whose state `reader` gives. */
  over(head: string, reader: StateReader): StateReader;
  /** Goes on to the state after a block: its hash, and the last valid write of each key. */
  advance(head: string, writes: ReadonlyMap<string, StateEntry | null>): void;
}

export function stateCache(): StateCache {
  let at = '';
  /** Null for a key that is not there. */
  const entries = new Map<string, StateEntry | null>();
  const keep = (key: string, entry: StateEntry | null): void => {
    if (entries.size >= limits.ledgerCachedKeys) entries.clear();
    entries.set(key, entry);
  };
  return {
    over(head, reader) {
      if (head !== at) entries.clear();
      at = head;
      return {
        ...reader,
        async getMany(keys) {
          const found = new Map<string, StateEntry>();
          const missing: string[] = [];
          for (const key of keys) {
            const entry = entries.get(key);
            if (entry === undefined) missing.push(key);
            else if (entry !== null) found.set(key, entry);
          }
          if (missing.length === 0) return found;
          const read = await reader.getMany(missing);
          const current = at === head;
          for (const key of missing) {
            const entry = read.get(key);
            if (entry) found.set(key, entry);
            if (current) keep(key, entry ?? null);
          }
          return found;
        },
      };
    },
    advance(head, writes) {
      at = head;
      for (const [key, entry] of writes) keep(key, entry);
    },
  };
}
