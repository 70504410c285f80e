/**
 * The append-only Merkle tree over block hashes (RFC 6962). Every complete subtree is stored once as a node
 * (level, position), so that a block adds at most log n nodes and a path or consistency proof reads log n of them.
 */

import { fromHex, merkleLeaf, merkleNode, toHex, assert } from '@assay/core';
import { sha256 } from './block.ts';

export interface TreeNode {
  readonly level: number;
  readonly position: bigint;
  readonly hash: string;
}

type NodeId = Omit<TreeNode, 'hash'>;

/** Reads stored nodes by (level, position). */
export type ReadNodes = (ids: readonly NodeId[]) => Promise<(id: NodeId) => string>;

const join = (left: string, right: string): string => toHex(merkleNode(sha256, fromHex(left), fromHex(right)));

/** Adds leaf number `size`: the new peaks (roots of the complete subtrees, left to right) and the nodes that it completes. */
export function appendLeaf(
  peaks: readonly string[],
  size: bigint,
  blockHash: string,
): { readonly peaks: string[]; readonly nodes: TreeNode[] } {
  const kept = [...peaks];
  let hash = toHex(merkleLeaf(sha256, fromHex(blockHash)));
  let position = size;
  const nodes: TreeNode[] = [{ level: 0, position, hash }];
  for (let level = 1; position % 2n === 1n; level += 1) {
    const left = kept.pop();
    assert(left !== undefined, 'a right node has a left sibling among the peaks');
    hash = join(left, hash);
    position /= 2n;
    nodes.push({ level, position, hash });
  }
  kept.push(hash);
  return { peaks: kept, nodes };
}

/** The root over a tree with these peaks. */
export function rootOfPeaks(peaks: readonly string[]): string {
  const last = peaks.at(-1);
  if (last === undefined) return toHex(sha256(new Uint8Array(0)));
  return peaks.slice(0, -1).reduceRight((right, left) => join(left, right), last);
}

/** The complete subtrees that make up leaves `from` to `to`, left to right; `from` is aligned to the first of them. */
function cover(from: bigint, to: bigint): NodeId[] {
  const ids: NodeId[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    while (at % 2n ** BigInt(level + 1) === 0n && at + 2n ** BigInt(level + 1) <= to) level += 1;
    ids.push({ level, position: at / 2n ** BigInt(level) });
    at += 2n ** BigInt(level);
  }
  return ids;
}

/** The peaks of the tree over the first `size` leaves. */
export async function peaksAt(size: bigint, read: ReadNodes): Promise<string[]> {
  const ids = cover(0n, size);
  return ids.map(await read(ids));
}

/** The ranges of leaves whose roots are the path of `index`, from the leaf up. */
function pathRanges(index: bigint, size: bigint): [bigint, bigint][] {
  const ranges: [bigint, bigint][] = [];
  let low = 0n;
  let high = size;
  while (high - low > 1n) {
    const cut = low + leftSize(high - low);
    if (index < cut) {
      ranges.unshift([cut, high]);
      high = cut;
    } else {
      ranges.unshift([low, cut]);
      low = cut;
    }
  }
  return ranges;
}

/** The inclusion path of leaf `index` in the tree over the first `size` leaves. */
export function inclusionPath(index: bigint, size: bigint, read: ReadNodes): Promise<string[]> {
  assert(index < size, 'the leaf is in the tree');
  return rootsOf(pathRanges(index, size), read);
}

/** The consistency path from the first `earlier` leaves to the first `later` ones (RFC 6962 §2.1.2). */
export function consistencyPath(earlier: bigint, later: bigint, read: ReadNodes): Promise<string[]> {
  assert(earlier > 0n && earlier <= later, 'the earlier tree is a part of the later one');
  const ranges: [bigint, bigint][] = [];
  let low = 0n;
  let high = later;
  let whole = true;
  let size = earlier;
  while (size !== high - low) {
    const cut = leftSize(high - low);
    if (size <= cut) {
      ranges.unshift([low + cut, high]);
      high = low + cut;
    } else {
      ranges.unshift([low, low + cut]);
      low += cut;
      size -= cut;
      whole = false;
    }
  }
  // Whoever knows the earlier root knows this subtree when it is the whole of the earlier tree.
  if (!whole) ranges.unshift([low, high]);
  return rootsOf(ranges, read);
}

async function rootsOf(ranges: readonly [bigint, bigint][], read: ReadNodes): Promise<string[]> {
  const covers = ranges.map(([from, to]) => cover(from, to));
  const hashOf = await read(covers.flat());
  return covers.map((ids) => rootOfPeaks(ids.map(hashOf)));
}

/** The largest power of two smaller than `size` (≥ 2). */
function leftSize(size: bigint): bigint {
  let cut = 1n;
  while (cut * 2n < size) cut *= 2n;
  return cut;
}
