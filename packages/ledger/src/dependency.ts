/**
 * Cuts a block: submissions of one call take effect in their order, but the transactions of one block do not see each
 * other. So a submission that read what an earlier one of the block writes waits for the next block, and so does
 * whatever touches the same keys as one that waits, or names the same things: run again on other state, the one that
 * waits may touch keys of these that it did not reach the first time.
 */

import { inRange } from './state-reader.ts';
import type { ReadWriteSet } from './transaction-stub.ts';

type Touches = Pick<ReadWriteSet, 'reads' | 'ranges' | 'writes'>;

/** For each set, in order, whether it may go into the block; those that `mustWait` may not in any case. */
export function fitInOneBlock(
  sets: readonly Touches[],
  mustWait: readonly boolean[] = [],
  names: readonly (readonly string[])[] = [],
): boolean[] {
  const written = newKeyBag();
  const waiting = newKeyBag();
  const waitingNames = new Set<string>();
  return sets.map((set, index) => {
    const reads = keysOf(set.reads);
    const keys = [...reads, ...keysOf(set.writes)];
    const own = names[index] ?? [];
    const waits =
      mustWait[index] === true ||
      written.meets(reads, set.ranges) ||
      waiting.meets(keys, set.ranges) ||
      own.some((name) => waitingNames.has(name));
    if (waits) {
      waiting.add(keys, set.ranges);
      for (const name of own) waitingNames.add(name);
    } else written.add(keysOf(set.writes), []);
    return !waits;
  });
}

const nameOfThing = /\b[a-z]{3}_[0-9a-f]{32}\b/g;

/** The ids that a submission's arguments mention: contracts keep everything that they store under ids. */
export function namesIn(args: readonly string[]): string[] {
  return [...new Set(args.flatMap((arg) => arg.match(nameOfThing) ?? []))];
}

function keysOf(pairs: readonly (readonly [string, unknown])[]): string[] {
  return pairs.map(([key]) => key);
}

type Range = Pick<ReadWriteSet['ranges'][number], 'start' | 'end'>;

function newKeyBag() {
  const keys = new Set<string>();
  const ranges: Range[] = [];
  return {
    add(more: readonly string[], moreRanges: readonly Range[]): void {
      for (const key of more) keys.add(key);
      ranges.push(...moreRanges);
    },
    /** Whether a key or range overlaps one in the bag. Two ranges count as overlapping: that is rare, and safe. */
    meets(others: readonly string[], otherRanges: readonly Range[]): boolean {
      if (others.some((key) => keys.has(key) || ranges.some(({ start, end }) => inRange(key, start, end)))) return true;
      if (otherRanges.length === 0) return false;
      return (
        ranges.length > 0 || [...keys].some((key) => otherRanges.some(({ start, end }) => inRange(key, start, end)))
      );
    },
  };
}
