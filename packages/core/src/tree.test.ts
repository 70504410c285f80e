import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex, utf8, type Sha256Hex } from './hash.ts';
import { isSafePath, safeFolderPattern, safePathPattern, treeDigest } from './tree.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const hash = toHex(sha256(utf8(''))) as Sha256Hex;

describe('isSafePath', () => {
  it.each([
    'a',
    'main.py',
    'a/b/c.txt',
    'A-1_b (2).tar.gz',
    'a@b=c,d+e',
    'x'.repeat(255),
    'a/b/c/d/e/f/g/h',
    'console.log',
    'com10',
    'a..b',
  ])('takes %j', (path) => expect(isSafePath(path)).toBe(true));

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    './a',
    '.hidden',
    'a/.b',
    'a.',
    'a ',
    'a./b',
    'a /b',
    'a\\b',
    'a:b',
    'a*',
    'a\0b',
    'a\nb',
    'é',
    'x'.repeat(256),
    'a/b/c/d/e/f/g/h/i',
    'con',
    'CON',
    'Con.txt',
    'a/nul',
    'lpt1.x',
    'com0',
    'aux/x',
    '-a',
    '~',
    'a\u202eb',
  ])('refuses %j', (path) => expect(isSafePath(path)).toBe(false));

  it('says what it says in its comment, of any text', () => {
    const part = fc.string({
      unit: fc.constantFrom(...Array.from('aZ0_. -/con1lptux+@=,()\\:\u0000é')),
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        const path = parts.join('/');
        expect(isSafePath(path), JSON.stringify(path)).toBe(isSafeByWords(path));
        expect(new RegExp(safePathPattern, 'u').test(path)).toBe(isSafePath(path));
        expect(new RegExp(safeFolderPattern, 'u').test(path)).toBe(isSafePath(path.replace(/\/$/, '')));
      }),
      { numRuns: 5000 },
    );
  });

  it('takes no time over long texts', () => {
    const startedMs = performance.now();
    for (let run = 0; run < 1000; run += 1) isSafePath(`${'a '.repeat(127)}\0`);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe('treeDigest', () => {
  const tree = ['b', 'a/x', 'a', 'B'].map((path, index) => ({ path, sizeBytes: index, sha256: hash }));

  it('does not depend on the order of files', () => {
    const order = fc.shuffledSubarray(tree, { minLength: tree.length });
    fc.assert(
      fc.property(order, (shuffled) => {
        expect(treeDigest(sha256, shuffled)).toBe(treeDigest(sha256, tree));
      }),
    );
  });

  it('depends on every path, size and hash', () => {
    const changes = [{ path: 'c' }, { sizeBytes: 9 }, { sha256: 'f'.repeat(64) as Sha256Hex }];
    const digests = changes.map((change) => treeDigest(sha256, tree.with(0, { ...tree[0]!, ...change })));
    expect(new Set([treeDigest(sha256, tree), treeDigest(sha256, []), ...digests]).size).toBe(5);
  });

  it('is what receipts hold (golden)', () => {
    const text = `assay/tree/1\n[{"path":"a","sha256":"${hash}","size":2},{"path":"b","sha256":"${hash}","size":0}]`;
    expect(treeDigest(sha256, [tree[0]!, tree[2]!])).toBe(toHex(sha256(utf8(text))));
  });
});

/** The rule in plain words, to compare the regular expression with. */
function isSafeByWords(path: string): boolean {
  const parts = path.split('/');
  if (path === '' || path.length > 255 || parts.length > 8) return false;
  return parts.every((part) => {
    const plain = Array.from(part).every((letter) => /[A-Za-z0-9._ +@=,()-]/.test(letter));
    const device = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(part.split('.')[0] ?? '');
    return part !== '' && plain && /[A-Za-z0-9_]/.test(part[0] ?? '') && !/[. ]$/.test(part) && !device;
  });
}
