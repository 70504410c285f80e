import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitInOneBlock, namesIn } from './dependency.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const range = fc.tuple(key, key).map(([start, end]) => ({ start, end, stoppedAt: null, saw: [] }));
const touches = fc.record({
  reads: fc.array(
    key.map((one) => [one, null] as const),
    { maxLength: 3 },
  ),
  ranges: fc.array(range, { maxLength: 1 }),
  writes: fc.array(
    key.map((one) => [one, '1'] as const),
    { maxLength: 2 },
  ),
});

const covers = (one: { start: string; end: string }, name: string): boolean => one.start <= name && name < one.end;
const touching = (reads: string, writes: string) => ({
  reads: Array.from(reads).map((name) => [name, null] as const),
  ranges: [],
  writes: Array.from(writes).map((name) => [name, '1'] as const),
});

test('nobody overtakes one that waits and names the same thing, whatever either touched so far', () => {
  const nothing = touching('', '');
  const names = [['job_1'], ['job_1', 'wrk_1'], ['wrk_1'], ['wrk_2']];
  expect(fitInOneBlock([touching('', 'a'), touching('a', ''), nothing, nothing], [], names)).toEqual([
    true,
    false,
    false,
    true,
  ]);
  const id = `wrk_${'0'.repeat(32)}`;
  expect(namesIn(['x', `[{"worker":"${id}"},{"worker":"${id}"}]`])).toEqual([id]);
});

test('a block holds nothing that reads what it writes, and nobody overtakes what it depends on', () => {
  fc.assert(
    fc.property(fc.array(touches, { maxLength: 12, size: 'max' }), (sets) => {
      const fits = fitInOneBlock(sets);
      expect(fits.length).toBe(sets.length);
      if (sets.length > 0) expect(fits[0]).toBe(true);
      for (const [later, set] of sets.entries()) {
        for (const [earlier, before] of sets.slice(0, later).entries()) {
          const readsItsWrites = before.writes.some(
            ([name]) => set.reads.some(([read]) => read === name) || set.ranges.some((one) => covers(one, name)),
          );
          if (readsItsWrites) expect([earlier, later, fits[later]]).toEqual([earlier, later, false]);
          const touched = (one: typeof set): string[] => [...one.reads, ...one.writes].map(([name]) => name);
          const share = touched(set).some((name) => touched(before).includes(name));
          if (share && !fits[earlier]) expect(fits[later]).toBe(false);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('strangers share a block, and those that must wait hold back who touches the same', () => {
  expect(fitInOneBlock([touching('a', 'a'), touching('b', 'b'), touching('c', 'c')])).toEqual([true, true, true]);
  expect(fitInOneBlock([touching('a', ''), touching('a', 'b'), touching('', 'a')])).toEqual([true, true, true]);
  expect(fitInOneBlock([touching('a', 'a'), touching('a', 'a'), touching('b', 'b')])).toEqual([true, false, true]);
  expect(fitInOneBlock([touching('a', 'a'), touching('ab', ''), touching('b', 'b')])).toEqual([true, false, false]);
  expect(fitInOneBlock([touching('a', 'a'), touching('b', 'b'), touching('b', '')], [false, true, false])).toEqual([
    true,
    false,
    false,
  ]);
});
