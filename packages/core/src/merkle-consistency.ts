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
  let at = earlierSize - 1;
  let last = laterSize - 1;
  const up = (): void => {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  };
  while (at % 2 === 1) up();
  let earlier: Uint8Array = seed;
  let later: Uint8Array = seed;
  for (const step of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      earlier = merkleNode(sha256, step, earlier);
      later = merkleNode(sha256, step, later);
      while (at % 2 === 0 && at !== 0) up();
    } else {
      later = merkleNode(sha256, later, step);
    }
    up();
  }
  return last === 0 && toHex(earlier) === earlierRoot && toHex(later) === laterRoot;
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size));
}
