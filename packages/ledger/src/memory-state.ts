/** Committed state in memory: what replay builds and contract tests run on. */

import { compareKeys, inRange, type KeyChange, type StateEntry, type StateReader } from './state-reader.ts';

export interface MemoryState extends StateReader {
  /** Applies one transaction's writes; null deletes. */
  apply(writes: readonly (readonly [key: string, value: string | null])[], at: Omit<KeyChange, 'value'>): void;
  entries(): readonly StateEntry[];
}

export function memoryState(): MemoryState {
  const entries = new Map<string, StateEntry>();
  const changes = new Map<string, KeyChange[]>();
  let sorted: StateEntry[] | undefined;
  const inOrder = (): StateEntry[] => {
    sorted ??= [...entries.values()].toSorted((a, b) => compareKeys(a.key, b.key));
    return sorted;
  };
  return {
    async getMany(keys) {
      return new Map(
        keys.flatMap((key) => (entries.has(key) ? [[key, entries.get(key)] as [string, StateEntry]] : [])),
      );
    },
    async scan(start, end, after, limit) {
      const found = inOrder().filter(
        ({ key }) => inRange(key, start, end) && (after === null || compareKeys(key, after) > 0),
      );
      return found.slice(0, limit);
    },
    async history(key) {
      return (changes.get(key) ?? []).toReversed();
    },
    apply(writes, at) {
      sorted = undefined;
      for (const [key, value] of writes) {
        if (value === null) entries.delete(key);
        else entries.set(key, { key, value, version: at.version });
        const list = changes.get(key);
        if (list) list.push({ ...at, value });
        else changes.set(key, [{ ...at, value }]);
      }
    },
    entries: inOrder,
  };
}
