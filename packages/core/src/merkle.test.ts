import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8, type Sha256Hex } from './hash.ts';
import { rootOfSidedPath, sidedPath } from './merkle-sides.ts';
import {
  merkleLeaf,
  merklePath,
  merklePathOfHashes,
  merkleRoot,
  merkleRootOfHashes,
  merkleRootOfHex,
  merkleTextLeaf,
  verifyMerklePath,
} from './merkle.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** The leaves and roots that Certificate Transparency's own tests use. */
const vectors = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex);
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('merkleRoot', () => {
  it.each(roots.map((root, size): [number, string] => [size, root]))(
    'over %d leaves is as in Certificate Transparency',
    (size, root) => {
      expect(merkleRoot(sha256, vectors.slice(0, size))).toBe(root);
      const hashes = vectors.slice(0, size).map((leaf) => toHex(merkleLeaf(sha256, leaf)) as Sha256Hex);
      expect(merkleRootOfHex(sha256, hashes)).toBe(root);
    },
  );

  it('has one hash for a leaf, as text or as bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (leaf) => {
        expect(merkleTextLeaf(sha256, leaf)).toBe(toHex(merkleLeaf(sha256, utf8(leaf))));
      }),
    );
  });
});

describe('a path', () => {
  it('proves each leaf of every size to 24, and no other leaf, index, size or root', () => {
    const all = Array.from({ length: 24 }, (_, index) => new Uint8Array([index]));
    for (let size = 1; size <= all.length; size += 1) {
      const leaves = all.slice(0, size);
      const root = merkleRoot(sha256, leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = merklePath(sha256, leaves, index);
        const proves = (claim: object): boolean =>
          verifyMerklePath(sha256, { leaf, index, size, path, root, ...claim });
        expect(proves({}), `${index} of ${size}`).toBe(true);
        expect(proves({ leaf: new Uint8Array([99]) })).toBe(false);
        expect(proves({ root: 'f'.repeat(64) })).toBe(false);
        for (let other = -1; other <= size; other += 1)
          if (other !== index) expect(proves({ index: other })).toBe(false);
        expect(proves({ path: path.slice(1) })).toBe(size === 1);
        expect(proves({ path: [...path, root] })).toBe(false);
        expect(proves({ size: 0 })).toBe(false);
        const sides = sidedPath(
          sha256,
          leaves.map((one) => merkleLeaf(sha256, one)),
          index,
        );
        expect(rootOfSidedPath(sha256, merkleLeaf(sha256, leaf), sides)).toBe(root);
      }
    }
  });

  it('with sides holds no bit that may change', () => {
    const leaves = Array.from({ length: 11 }, (_, index) => merkleLeaf(sha256, new Uint8Array([index])));
    const root = merkleRootOfHashes(sha256, leaves);
    fc.assert(
      fc.property(
        fc.nat({ max: 10 }),
        fc.nat({ max: 3 }),
        fc.nat({ max: 64 }),
        fc.nat({ max: 7 }),
        (index, step, at, bit) => {
          const path = sidedPath(sha256, leaves, index);
          const text = path[step] ?? '';
          fc.pre(text !== '');
          const changed =
            text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1);
          expect(rootOfSidedPath(sha256, leaves[index]!, path.with(step, changed))).not.toBe(root);
        },
      ),
    );
  });

  it('refuses what is no path', () => {
    const leaf = new Uint8Array([1]);
    const root = merkleRoot(sha256, [leaf, leaf]);
    expect(verifyMerklePath(sha256, { leaf, index: 0.5, size: 2, path: [root], root })).toBe(false);
    expect(verifyMerklePath(sha256, { leaf, index: 0, size: 2, path: ['x'], root })).toBe(false);
    expect(verifyMerklePath(sha256, { leaf, index: 0, size: 2, path: [root], root: 'x' })).toBe(false);
    expect(rootOfSidedPath(sha256, leaf, [`X${root}`])).toBeUndefined();
    expect(rootOfSidedPath(sha256, leaf, ['L'])).toBeUndefined();
    expect(() => merklePathOfHashes(sha256, [leaf], 1)).toThrow(/in the tree/);
    expect(() => merklePath(sha256, [], 0)).toThrow(/in the tree/);
  });
});
