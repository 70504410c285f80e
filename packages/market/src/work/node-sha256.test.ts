import * as fc from 'fast-check';
import { toHex, utf8 } from '@assay/core';
import { describe, expect, it } from 'vitest';
import { nodeSha256 } from './node-sha256.ts';

describe('nodeSha256', () => {
  it('has one hash for bytes, for their hex and for their text', () => {
    expect(nodeSha256.hex?.('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const hex = toHex(nodeSha256(utf8(text)));
        expect(nodeSha256.hex?.(text)).toBe(hex);
        expect(nodeSha256.hex?.(utf8(text))).toBe(hex);
      }),
    );
  });
});
