/** Whether one Merkle tree only adds leaves to another: what a client checks that kept an earlier head. */

import { fromHex, parseSha256, toHex, type Sha256 } from './hash.ts';
import { merkleNode } from './merkle.ts';

export interface ConsistencyClaim {
  readonly earlierSize: number;
  readonly earlierRoot: string;
  readonly laterSize: number;
  readonly laterRoot: string;
  readonly path: readonly string[];
}

/** Whether `path` proves that the later tree begins with the earlier one (RFC 9162 §2.1.4.2). */
export function verifyMerkleConsistency(sha256: Sha256, claim: ConsistencyClaim): boolean {
  const { earlierSize, earlierRoot, laterSize, laterRoot, path } = claim;
  if (!Number.isSafeInteger(earlierSize) || !Number.isSafeInteger(laterSize)) return false;
  if (earlierSize < 1 || earlierSize > laterSize) return false;
  if ([earlierRoot, laterRoot, ...path].some((hash) => parseSha256(hash) === undefined)) return false;
  if (earlierSize === laterSize) return path.length === 0 && earlierRoot === laterRoot;
  const steps = isPowerOfTwo(earlierSize) ? [earlierRoot, ...path] : path;
  const [seed, ...rest] = steps.map(fromHex);
  if (seed === undefined) return false;
  const node = { at: earlierSize - 1, last: laterSize - 1 };
  while (node.at % 2 === 1) climb(node);
  let earlier: Uint8Array = seed;
  let later: Uint8Array = seed;
  for (const step of rest) {
    if (node.last === 0) return false;
    if (node.at % 2 === 1 || node.at === node.last) {
      earlier = merkleNode(sha256, step, earlier);
      later = merkleNode(sha256, step, later);
      while (node.at % 2 === 0 && node.at !== 0) climb(node);
    } else {
      later = merkleNode(sha256, later, step);
    }
    climb(node);
  }
  return node.last === 0 && toHex(earlier) === earlierRoot && toHex(later) === laterRoot;
}

/** Goes up one level: where the node stands, and where the last one of its level does. */
function climb(node: { at: number; last: number }): void {
  node.at = Math.floor(node.at / 2);
  node.last = Math.floor(node.last / 2);
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size));
}
