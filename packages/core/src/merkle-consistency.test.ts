import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyMerkleConsistency } from './merkle-consistency.ts';
import { merkleRoot } from './merkle.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('verifyMerkleConsistency', () => {
  it('accepts the proof of RFC 6962 between any two sizes to 24, and nothing near it', () => {
    const leaves = Array.from({ length: 24 }, (_, index) => new Uint8Array([index]));
    const forged = leaves.with(0, new Uint8Array([99]));
    for (let laterSize = 1; laterSize <= leaves.length; laterSize += 1) {
      for (let earlierSize = 1; earlierSize <= laterSize; earlierSize += 1) {
        const earlierRoot = merkleRoot(sha256, leaves.slice(0, earlierSize));
        const laterRoot = merkleRoot(sha256, leaves.slice(0, laterSize));
        const path = proof(earlierSize, leaves.slice(0, laterSize), true);
        const holds = (change: object): boolean =>
          verifyMerkleConsistency(sha256, { earlierSize, earlierRoot, laterSize, laterRoot, path, ...change });
        expect(holds({}), `${earlierSize} in ${laterSize}`).toBe(true);
        expect(holds({ earlierRoot: merkleRoot(sha256, forged.slice(0, earlierSize)) })).toBe(false);
        expect(holds({ laterRoot: merkleRoot(sha256, forged.slice(0, laterSize)) })).toBe(false);
        expect(holds({ path: [...path, earlierRoot] })).toBe(false);
        if (path.length > 0) expect(holds({ path: path.slice(1) })).toBe(false);
        expect(holds({ earlierSize: 0 })).toBe(false);
        expect(holds({ earlierSize: laterSize + 1 })).toBe(false);
        expect(holds({ laterSize: 0.5 })).toBe(false);
        expect(holds({ earlierRoot: 'x' })).toBe(false);
      }
    }
  });
});

/** SUBPROOF of RFC 6962 §2.1.2, word for word. */
function proof(size: number, leaves: readonly Uint8Array[], whole: boolean): string[] {
  if (size === leaves.length) return whole ? [] : [merkleRoot(sha256, leaves)];
  let cut = 1;
  while (cut * 2 < leaves.length) cut *= 2;
  return size <= cut
    ? [...proof(size, leaves.slice(0, cut), whole), merkleRoot(sha256, leaves.slice(cut))]
    : [...proof(size - cut, leaves.slice(cut), false), merkleRoot(sha256, leaves.slice(0, cut))];
}
