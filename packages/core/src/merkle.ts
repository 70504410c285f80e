/**
 * Merkle trees of RFC 6962 §2.1: a leaf hashes as `0x00 ‖ leaf`, a node as `0x01 ‖ left ‖ right`, the left subtree holds
 * the largest power of two smaller than the size, and the empty tree is the hash of nothing.
 */

import { assert } from './errors.ts';
import { fromHex, parseSha256, toHex, type Sha256, type Sha256Hex } from './hash.ts';

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

/** The root over the hashes from `start` up to but not including `end`. */
function rootOfHashes(sha256: Sha256, hashes: readonly Uint8Array[], start = 0, end = hashes.length): Uint8Array {
  const first = hashes[start];
  if (first === undefined || start === end) return sha256(new Uint8Array(0));
  if (end - start === 1) return first;
  const cut = start + leftSize(end - start);
  return merkleNode(sha256, rootOfHashes(sha256, hashes, start, cut), rootOfHashes(sha256, hashes, cut, end));
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
