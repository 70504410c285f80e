import { canonicalJson, merkleRoot, utf8, type CanonicalValue, type TransactionRecord } from '@assay/core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256, transactionText, txRootOf } from './block.ts';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '\\', '\ud800', '\u2028'));
const version = fc.option(fc.tuple(fc.nat(), fc.nat()));
const record = fc.record(
  {
    txId: text,
    key: text,
    contract: text,
    fn: text,
    args: fc.array(text),
    creator: fc.record({ mspId: text, certificate: text }),
    nonce: text,
    signature: text,
    leaves: fc.record({ count: fc.nat(), root: text }),
    atMs: fc.maxSafeNat(),
    reads: fc.array(fc.tuple(text, version)),
    ranges: fc.array(
      fc.record({ start: text, end: text, stoppedAt: fc.option(text), saw: fc.array(fc.tuple(text, version)) }),
      { maxLength: 2 },
    ),
    writes: fc.array(fc.tuple(text, fc.option(text, { nil: null }))),
    event: fc.option(fc.record({ payload: text, name: text })),
    result: text,
    code: fc.constantFrom(0, 11, 12),
  },
  {
    requiredKeys: [
      'txId',
      'key',
      'contract',
      'fn',
      'args',
      'creator',
      'nonce',
      'atMs',
      'reads',
      'ranges',
      'writes',
      'event',
      'result',
      'code',
    ],
  },
);

test('the text of a transaction is its canonical JSON', () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(transactionText(one as TransactionRecord)).toBe(canonicalJson(one as unknown as CanonicalValue));
    }),
    { numRuns: 500 },
  );
});

test('the root over texts is the Merkle root over their bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 }), (texts) => {
      expect(txRootOf(texts)).toBe(merkleRoot(sha256, texts.map(utf8)));
    }),
  );
});
