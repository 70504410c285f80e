/** Range and history queries of the stub. What a range saw is recorded, so that phantoms are found at commit. */

import { limits, type StateVersion } from '@assay/core';
import type { Iterators } from 'fabric-shim-api';
import { partialRange, simpleRange } from './composite-key.ts';
import { timestampOf } from './fabric-runtime.ts';
import type { StateEntry, StateReader } from './state-reader.ts';
import type { Recording } from './transaction-stub.ts';

interface Page {
  readonly size: number;
  readonly bookmark: string;
}

type Bounds = Readonly<{ start: string; end: string }>;
type Step<Value> = { value: Value; done: boolean };

/** What fabric-shim returns from a query: a promise of an iterator that is itself iterable. */
function query<Value>(open: () => Promise<{ next(): Promise<Step<Value>>; close(): Promise<void> }>) {
  const opened = open();
  return Object.assign(opened, {
    [Symbol.asyncIterator]: (): AsyncIterator<Value> => ({
      next: async () => (await opened).next() as Promise<IteratorResult<Value>>,
      async return() {
        await (await opened).close();
        return { value: undefined, done: true };
      },
    }),
  });
}

const finished = { value: undefined, done: true } as unknown as Step<never>;

export function queriesOf(reader: StateReader, recording: Recording) {
  const range = (bounds: Bounds) => query(async () => rangeIterator(reader, recording, bounds));
  const paged = (bounds: Bounds, size: number, bookmark = '') =>
    query(async () => {
      if (recording.writes.size > 0) throw new Error('a transaction that writes cannot use a paginated query');
      recording.paginated = true;
      return pageOf(reader, bounds, { size, bookmark });
    });
  return {
    getStateByRange: (start: string, end: string) => range(simpleRange(start, end)),
    getStateByPartialCompositeKey: (type: string, attributes: string[]) => range(partialRange(type, attributes)),
    getStateByRangeWithPagination: (start: string, end: string, size: number, bookmark?: string) =>
      paged(simpleRange(start, end), size, bookmark),
    getStateByPartialCompositeKeyWithPagination: (
      type: string,
      attributes: string[],
      size: number,
      bookmark?: string,
    ) => paged(partialRange(type, attributes), size, bookmark),
    getHistoryForKey: (key: string) => query(async () => listIterator(await changesOf(reader, key))),
  };
}

/** Reads page by page and records each key that it hands out. */
function rangeIterator(
  reader: StateReader,
  recording: Recording,
  { start, end }: Bounds,
): Iterators.StateQueryIterator {
  const saw: [string, StateVersion][] = [];
  const at = recording.ranges.push({ start, end, stoppedAt: start, saw }) - 1;
  let page: readonly StateEntry[] | undefined;
  let index = 0;
  const note = (stoppedAt: string | null): void => {
    recording.ranges[at] = { start, end, stoppedAt, saw };
  };
  const entry = async (): Promise<StateEntry | undefined> => {
    if (page === undefined || (index === page.length && page.length === limits.ledgerScanPage)) {
      page = await reader.scan(start, end, page?.at(-1)?.key ?? null, limits.ledgerScanPage);
      index = 0;
    }
    const found = page[index];
    index += 1;
    return found;
  };
  return {
    close: async () => undefined,
    async next() {
      if (recording.ranges[at]?.stoppedAt === null) return finished;
      if (saw.length === limits.ledgerQueryRows)
        throw new Error(`a query reads at most ${limits.ledgerQueryRows} rows`);
      const found = await entry();
      if (found === undefined) {
        note(null);
        return finished;
      }
      saw.push([found.key, found.version]);
      note(found.key);
      return { value: rowOf(found), done: false };
    },
  };
}

/** A page is read at once; its rows are not validated again at commit, as it cannot be part of a write. */
async function pageOf(reader: StateReader, { start, end }: Bounds, { size, bookmark }: Page) {
  const rows = await reader.scan(bookmark === '' ? start : bookmark, end, null, size + 1);
  const shown = rows.slice(0, size);
  const iterator = listIterator(shown.map(rowOf));
  const metadata = { fetchedRecordsCount: shown.length, bookmark: rows[size]?.key ?? '' };
  return { iterator, metadata, ...iterator };
}

function rowOf({ key, value }: StateEntry): Iterators.KV {
  return { namespace: 'assay', key, value: Buffer.from(value) };
}

async function changesOf(reader: StateReader, key: string): Promise<Iterators.KeyModification[]> {
  return (await reader.history(key)).map(({ txId, value, atMs }) => ({
    txId,
    isDelete: value === null,
    value: Buffer.from(value ?? ''),
    timestamp: timestampOf(atMs),
  }));
}

function listIterator<Value>(values: readonly Value[]) {
  let index = 0;
  return {
    close: async (): Promise<void> => undefined,
    async next(): Promise<Step<Value>> {
      const value = values[index];
      index += 1;
      return value === undefined ? finished : { value, done: false };
    },
  };
}
