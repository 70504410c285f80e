import { describe, expect, it } from 'vitest';
import { emptySha256 } from './hash.ts';
import { limits } from './limits.ts';
import { mergeInputPath, outputBounds, unmergeablePath } from './merge-inputs.ts';
import { isSafePath } from './tree.ts';

const tree = (...paths: string[]) => paths.map((path) => ({ path, sizeBytes: 0, sha256: emptySha256 }));

const ample = { memoryBytes: 2 * limits.mergeInputBytes, bundle: [] };

describe('what a unit may write', () => {
  it.each([1, 2, 4, 5, 100, 3001, limits.chunks])('fits into a merge of %d units, and is never nothing', (chunks) => {
    const { outputFiles, outputBytes } = outputBounds({ chunks, isMerged: true, ...ample });
    expect(outputFiles * chunks).toBeLessThanOrEqual(limits.mergeInputFiles);
    expect(outputBytes * chunks).toBeLessThanOrEqual(limits.mergeInputBytes);
    expect(outputFiles).toBeGreaterThanOrEqual(2);
    expect(outputFiles).toBeLessThanOrEqual(limits.outputFiles);
    expect(outputBytes).toBeGreaterThanOrEqual(100 * 1024);
    expect(outputBytes).toBeLessThanOrEqual(limits.outputBytes);
  });

  it('leaves room for the bundle in the memory of the merge', () => {
    const bundle = [{ path: 'main.py', sizeBytes: 1000, sha256: emptySha256 }];
    const bytes = (memoryBytes: number) => outputBounds({ chunks: 3, isMerged: true, memoryBytes, bundle }).outputBytes;
    expect([bytes(4000), bytes(4005), bytes(1000), bytes(10)]).toEqual([1000, 1001, 0, 0]);
  });

  it('is as much for every number of units where nothing is merged', () => {
    const { outputFiles, outputBytes } = limits;
    expect(outputBounds({ chunks: limits.chunks, isMerged: false, memoryBytes: 0, bundle: [] })).toEqual({
      outputFiles,
      outputBytes,
    });
  });
});

describe('the path of an output', () => {
  it('must leave room for its unit’s folder', () => {
    const deep = 'a/b/c/d/e/f';
    const long = `${'x'.repeat(200)}/${'y'.repeat(42)}`;
    expect(unmergeablePath(tree(deep, long))).toBeUndefined();
    expect([deep, long].every((path) => isSafePath(mergeInputPath(limits.chunks - 1, path)))).toBe(true);
    expect(unmergeablePath(tree('a', `${deep}/g`))).toBe(`${deep}/g`);
    expect(unmergeablePath(tree(`${long}y`))).toBe(`${long}y`);
  });
});
