import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson, fromHex, hashOf, parseSha256, toHex, utf8, type CanonicalValue } from './hash.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('canonicalJson', () => {
  it.each<[CanonicalValue, string]>([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ ﬀ: 1, '\u{1f600}': 2, é: 3 }, '{"é":3,"\u{1f600}":2,"ﬀ":1}'],
    ['"\\\b\f\n\r\t\u0001/é', '"\\"\\\\\\b\\f\\n\\r\\t\\u0001/é"'],
    [{ a: undefined as unknown as null, b: 0 }, '{"b":0}'],
    [-0, '0'],
    [[], '[]'],
    [{}, '{}'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ])('writes %j', (value, text) => expect(canonicalJson(value)).toBe(text));

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('cannot carry %d', (value) => {
    expect(() => canonicalJson(value)).toThrow(/whole numbers/);
  });

  it('gives one text for one value, and the value back', () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
    const value = fc.letrec<{ any: CanonicalValue }>((tie) => ({
      any: fc.oneof(leaf, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any;
    fc.assert(
      fc.property(value, (one) => {
        const text = canonicalJson(one);
        expect(canonicalJson(JSON.parse(text) as CanonicalValue)).toBe(text);
        expect(canonicalJson(reversed(one))).toBe(text);
      }),
    );
  });
});

describe('hashes', () => {
  it('go to hex and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(fromHex(toHex(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it.each(['0', 'AB', 'zz', ' a', '0g'])('are not read from %j', (text) => {
    expect(() => fromHex(text)).toThrow(/hex/);
  });

  it('are 64 lower-case digits', () => {
    const hash = 'a'.repeat(64);
    expect(parseSha256(hash)).toBe(hash);
    for (const text of ['A'.repeat(64), 'a'.repeat(63), `${hash}\n`, 7, undefined])
      expect(parseSha256(text)).toBeUndefined();
  });

  it('differ by purpose (golden)', () => {
    const text = (purpose: string): string => toHex(sha256(utf8(`assay/${purpose}/1\n{"a":1}`)));
    expect(hashOf(sha256, 'manifest', { a: 1 })).toBe(text('manifest'));
    expect(hashOf(sha256, 'manifest', { a: 1 })).not.toBe(hashOf(sha256, 'tree', { a: 1 }));
  });
});

function reversed(value: CanonicalValue): CanonicalValue {
  if (Array.isArray(value)) return (value as readonly CanonicalValue[]).map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, one]) => [key, reversed(one)]),
  );
}
