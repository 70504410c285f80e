/**
 * Merkle trees of RFC 6962 §2.1: a leaf hashes as `0x00 ‖ leaf`, a node as `0x01 ‖ left ‖ right`, the left subtree holds
 * the largest power of two smaller than the size, and the empty tree is the hash of nothing.
 */

import { assert } from './errors.ts';
import { fromHex, parseSha256, sha256Hex, toHex, writeHex, type Sha256, type Sha256Hex } from './hash.ts';

/** The hash of one leaf. */
export function merkleLeaf(sha256: Sha256, leaf: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(leaf.length + 1);
  bytes.set(leaf, 1);
  return sha256(bytes);
}

/** The hash of an inner node. */
export function merkleNode(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(left.length + right.length + 1);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, left.length + 1);
  return sha256(bytes);
}

/** The hash of a leaf that is the UTF-8 of text. */
export function merkleTextLeaf(sha256: Sha256, leaf: string): Sha256Hex {
  return sha256Hex(sha256, `\0${leaf}`);
}

/** The root over `leaves` in order. */
export function merkleRoot(sha256: Sha256, leaves: readonly Uint8Array[]): Sha256Hex {
  return merkleRootOfHashes(
    sha256,
    leaves.map((leaf) => merkleLeaf(sha256, leaf)),
  );
}

/** The root over leaves of which only the hashes are at hand. */
export function merkleRootOfHashes(sha256: Sha256, hashes: readonly Uint8Array[]): Sha256Hex {
  return hex(rootOfHashes(sha256, hashes));
}

// Of one call at a time: hashing neither waits nor calls back.
const node = Uint8Array.of(1, ...new Uint8Array(64));

/** The root over leaves whose hashes are at hand as hex, which costs a third of the same with arrays of bytes. */
export function merkleRootOfHex(sha256: Sha256, hashes: readonly Sha256Hex[]): Sha256Hex {
  const join = (left: Sha256Hex, right: Sha256Hex): Sha256Hex => {
    writeHex(node, 1, left);
    writeHex(node, 33, right);
    return sha256Hex(sha256, node);
  };
  return fold(hashes, join) ?? sha256Hex(sha256, '');
}

/** The sibling hashes from leaf `index` up to the root. */
export function merklePath(sha256: Sha256, leaves: readonly Uint8Array[], index: number): Sha256Hex[] {
  return merklePathOfHashes(
    sha256,
    leaves.map((leaf) => merkleLeaf(sha256, leaf)),
    index,
  );
}

/** The same path where only the hashes of the leaves are at hand. */
export function merklePathOfHashes(sha256: Sha256, hashes: readonly Uint8Array[], index: number): Sha256Hex[] {
  assert(Number.isInteger(index) && index >= 0 && index < hashes.length, 'the leaf is in the tree');
  return pathOfHashes(sha256, hashes, index).map(hex);
}

export interface MerkleClaim {
  readonly leaf: Uint8Array;
  readonly index: number;
  /** How many leaves the tree has. */
  readonly size: number;
  readonly path: readonly string[];
  readonly root: string;
}

/** Whether `path` proves that `leaf` is number `index` of the `size` leaves under `root` (RFC 9162 §2.1.3.2). */
export function verifyMerklePath(sha256: Sha256, claim: MerkleClaim): boolean {
  const { index, size, path, root } = claim;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (parseSha256(root) === undefined) return false;
  let at = index;
  let last = size - 1;
  let hash = merkleLeaf(sha256, claim.leaf);
  for (const step of path) {
    if (last === 0 || parseSha256(step) === undefined) return false;
    const sibling = fromHex(step);
    if (at % 2 === 1 || at === last) {
      hash = merkleNode(sha256, sibling, hash);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = merkleNode(sha256, hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && toHex(hash) === root;
}

function rootOfHashes(sha256: Sha256, hashes: readonly Uint8Array[]): Uint8Array {
  return fold(hashes, (left, right) => merkleNode(sha256, left, right)) ?? sha256(new Uint8Array(0));
}

/** Joins the hashes from `start` up to but not including `end` as the tree has them; undefined when there are none. */
function fold<Hash>(
  hashes: readonly Hash[],
  join: (left: Hash, right: Hash) => Hash,
  start = 0,
  end = hashes.length,
): Hash | undefined {
  if (end - start <= 1) return hashes[start];
  const cut = start + leftSize(end - start);
  const left = fold(hashes, join, start, cut);
  const right = fold(hashes, join, cut, end);
  return left === undefined || right === undefined ? undefined : join(left, right);
}

function pathOfHashes(sha256: Sha256, hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (hashes.length === 1) return [];
  const cut = leftSize(hashes.length);
  const left = hashes.slice(0, cut);
  const right = hashes.slice(cut);
  return index < cut
    ? [...pathOfHashes(sha256, left, index), rootOfHashes(sha256, right)]
    : [...pathOfHashes(sha256, right, index - cut), rootOfHashes(sha256, left)];
}

/** The largest power of two smaller than `size` (≥ 2). */
function leftSize(size: number): number {
  let cut = 1;
  while (cut * 2 < size) cut *= 2;
  return cut;
}

function hex(bytes: Uint8Array): Sha256Hex {
  const text = parseSha256(toHex(bytes));
  assert(text !== undefined, 'SHA-256 gives 32 bytes');
  return text;
}
