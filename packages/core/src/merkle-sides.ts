/**
 * Merkle paths that say on which side each sibling stands (`L…`, `R…`) in place of an index and a size, so that nothing
 * in them can be changed without changing the root.
 */

import { assert } from './errors.ts';
import { fromHex, parseSha256, toHex, type Sha256 } from './hash.ts';
import { merkleNode, merklePathOfHashes } from './merkle.ts';

/** The path of leaf `index` among the leaves with these hashes. */
export function sidedPath(sha256: Sha256, hashes: readonly Uint8Array[], index: number): string[] {
  const path = merklePathOfHashes(sha256, hashes, index);
  return sidesOf(index, hashes.length).map((side, step) => `${side}${path[step]}`);
}

/** The root that a sided path leads to from a leaf's hash, or undefined when it is not written as one. */
export function rootOfSidedPath(sha256: Sha256, leafHash: Uint8Array, path: readonly string[]): string | undefined {
  let hash = leafHash;
  for (const step of path) {
    const sibling = parseSha256(step.slice(1));
    if (sibling === undefined) return undefined;
    if (step.startsWith('L')) hash = merkleNode(sha256, fromHex(sibling), hash);
    else if (step.startsWith('R')) hash = merkleNode(sha256, hash, fromHex(sibling));
    else return undefined;
  }
  return toHex(hash);
}

/** The sides of the siblings from leaf `index` up, in the tree of RFC 6962 with `size` leaves. */
function sidesOf(index: number, size: number): ('L' | 'R')[] {
  assert(index >= 0 && index < size, 'the leaf is in the tree');
  if (size === 1) return [];
  let cut = 1;
  while (cut * 2 < size) cut *= 2;
  return index < cut ? [...sidesOf(index, cut), 'R'] : [...sidesOf(index - cut, size - cut), 'L'];
}
