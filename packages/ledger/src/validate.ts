/** Validation at commit: is what a transaction read still so, with the earlier transactions of its block applied? */

import { limits, transactionCodes, type StateVersion, type TransactionCode } from '@assay/core';
import { compareKeys, inRange, type StateEntry, type StateReader } from './state-reader.ts';
import type { ReadWriteSet } from './transaction-stub.ts';

/** Committed state with the block's valid writes so far on top: null for a deleted key. */
export interface BlockView {
  readonly reader: StateReader;
  readonly writes: ReadonlyMap<string, StateEntry | null>;
}

/** The code that the transaction gets in its block. */
export async function validate(set: Pick<ReadWriteSet, 'reads' | 'ranges'>, view: BlockView): Promise<TransactionCode> {
  const committed = await view.reader.getMany(set.reads.map(([key]) => key).filter((key) => !view.writes.has(key)));
  for (const [key, version] of set.reads) {
    const now = view.writes.has(key) ? view.writes.get(key) : committed.get(key);
    if (!sameVersion(now?.version ?? null, version)) return transactionCodes.mvccConflict;
  }
  for (const range of set.ranges) {
    if (!(await rangeHolds(range, view))) return transactionCodes.phantomConflict;
  }
  return transactionCodes.valid;
}

function sameVersion(a: StateVersion, b: StateVersion): boolean {
  return a === null || b === null ? a === b : a[0] === b[0] && a[1] === b[1];
}

/** Runs the query again, up to the last key that the contract looked at, and compares. */
async function rangeHolds(range: ReadWriteSet['ranges'][number], view: BlockView): Promise<boolean> {
  const { start, end, stoppedAt, saw } = range;
  if (stoppedAt !== null && saw.length === 0) return true;
  const within = (key: string): boolean =>
    inRange(key, start, end) && (stoppedAt === null || compareKeys(key, stoppedAt) <= 0);
  const now = new Map<string, StateVersion>();
  for (let after: string | null = null; ;) {
    const page: readonly StateEntry[] = await view.reader.scan(start, end, after, limits.ledgerScanPage);
    for (const entry of page) if (within(entry.key)) now.set(entry.key, entry.version);
    after = page.at(-1)?.key ?? null;
    if (page.length < limits.ledgerScanPage || after === null || !within(after)) break;
  }
  for (const [key, entry] of view.writes) {
    if (!within(key)) continue;
    if (entry === null) now.delete(key);
    else now.set(key, entry.version);
  }
  return (
    now.size === saw.length && saw.every(([key, version]) => now.has(key) && sameVersion(now.get(key) ?? null, version))
  );
}
