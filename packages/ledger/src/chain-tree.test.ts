import { merklePath, merkleRoot, fromHex, verifyMerkleConsistency, verifyMerklePath } from '@assay/core';
import { expect, test } from 'vitest';
import { sha256, sha256Hex } from './block.ts';
import {
  appendLeaf,
  consistencyPath,
  inclusionPath,
  peaksAt,
  rootOfPeaks,
  type ReadNodes,
  type TreeNode,
} from './chain-tree.ts';

const size = 40;
const hashes = Array.from({ length: size }, (_, index) => sha256Hex(`block ${index}`));

/** The tree after each leaf, and all nodes that were stored on the way. */
function grow(): { roots: string[]; nodes: Map<string, TreeNode>; peaks: string[][] } {
  const nodes = new Map<string, TreeNode>();
  const peaks: string[][] = [[]];
  for (const [index, hash] of hashes.entries()) {
    const next = appendLeaf(peaks[index] ?? [], BigInt(index), hash);
    peaks.push(next.peaks);
    for (const node of next.nodes) nodes.set(`${node.level}/${node.position}`, node);
  }
  return { roots: peaks.map(rootOfPeaks), nodes, peaks };
}

const { roots, nodes, peaks } = grow();
const read: ReadNodes = async (ids) => {
  expect(ids.length).toBeLessThanOrEqual(40);
  return ({ level, position }) => nodes.get(`${level}/${position}`)?.hash ?? '';
};

test('the root is that of RFC 6962 at every size', async () => {
  for (const [count, root] of roots.entries()) {
    expect(root).toBe(merkleRoot(sha256, hashes.slice(0, count).map(fromHex)));
    expect(await peaksAt(BigInt(count), read)).toEqual(peaks[count]);
  }
});

test('a leaf adds no more nodes than the tree is high, and no node twice', () => {
  expect(nodes.size).toBe(hashes.length + 20 + 10 + 5 + 2 + 1);
});

test('every leaf has its path at every size', async () => {
  for (let count = 1; count <= size; count += 1) {
    const leaves = hashes.slice(0, count).map(fromHex);
    for (const [index, leaf] of leaves.entries()) {
      const path = await inclusionPath(BigInt(index), BigInt(count), read);
      expect(path).toEqual(merklePath(sha256, leaves, index));
      expect(verifyMerklePath(sha256, { leaf, index, size: count, path, root: roots[count] ?? '' })).toBe(true);
    }
  }
});

test('every size is consistent with every later one, and with nothing else', async () => {
  for (let later = 1; later <= size; later += 1) {
    for (let earlier = 1; earlier <= later; earlier += 1) {
      const path = await consistencyPath(BigInt(earlier), BigInt(later), read);
      const claim = {
        earlierSize: earlier,
        earlierRoot: roots[earlier] ?? '',
        laterSize: later,
        laterRoot: roots[later] ?? '',
        path,
      };
      const holds = (changes: object): boolean => verifyMerkleConsistency(sha256, { ...claim, ...changes });
      expect([earlier, later, holds({})]).toEqual([earlier, later, true]);
      const other = sha256Hex('other');
      expect(holds({ earlierRoot: other })).toBe(false);
      expect(holds({ laterRoot: other })).toBe(false);
      expect(holds({ path: [...path, other] })).toBe(false);
      if (path.length > 0) expect(holds({ path: path.slice(1) })).toBe(false);
      for (const [index] of path.entries()) expect(holds({ path: path.with(index, other) })).toBe(false);
    }
  }
});

test.each([
  [{ earlierSize: 0 }],
  [{ earlierSize: 3 }],
  [{ earlierSize: 1.5 }],
  [{ laterSize: Number.NaN }],
  [{ earlierRoot: 'x' }],
  [{ path: ['x'] }],
])('a claim with %j proves nothing', (changes) => {
  const claim = { earlierSize: 2, earlierRoot: roots[2] ?? '', laterSize: 2, laterRoot: roots[2] ?? '', path: [] };
  expect(verifyMerkleConsistency(sha256, claim)).toBe(true);
  expect(verifyMerkleConsistency(sha256, { ...claim, ...changes })).toBe(false);
});
