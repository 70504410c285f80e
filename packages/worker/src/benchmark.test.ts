import { limits } from '@assay/core';
import { expect, test } from 'vitest';
import { memoryOfUnit } from './benchmark.ts';

const gib = 1024 ** 3;

/** What a process of WebAssembly may hold at most for a unit of so much memory. */
function held(memoryGb: number): number {
  const scratch = Math.min(limits.sandboxScratchBytes / gib, memoryGb / 2);
  const inputs = Math.min(limits.bundleUnpackedBytes / gib, memoryGb);
  return limits.sandboxRuntimeBytesR / gib + memoryGb + scratch + inputs;
}

test.each([1, 1.5, 2, 3, 3.5, 4, 6, 8, 19.2, 100])(
  'a unit in WebAssembly fills what is left for it, and no more: %d GiB',
  (leftGb) => expect(held(memoryOfUnit(leftGb, 'wasm'))).toBeCloseTo(leftGb, 9),
);

test('a unit in a container has all of it', () => expect(memoryOfUnit(4, 'docker')).toBe(4));
