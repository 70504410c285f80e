import {
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  merklePath,
  merkleRoot,
  isoTime,
  utf8,
  type CanonicalValue,
} from '@assay/core';
import { describe, expect, it } from 'vitest';
import { ledgerSigner, nodeCrypto } from './synthetic-receipt.setup.ts';
import { isProofText, verifyBlock, verifyProof } from './verify-proof.ts';

const { sha256 } = nodeCrypto;
const transactions = ['a', 'b', 'c'].map((id, index) =>
  canonicalJson({
    txId: id.repeat(64),
    contract: 'Contract',
    fn: 'verifyWork',
    args: ['job'],
    code: index === 2 ? 11 : 0,
  }),
);
const first = header(0, '0'.repeat(64), []);
const second = header(1, hashOf(sha256, 'block', first), transactions);
const leaves = [first, second].map((one) => fromHex(hashOf(sha256, 'block', one)));
const signed = {
  block: 1n,
  blockHash: hashOf(sha256, 'block', second),
  chainRoot: merkleRoot(sha256, leaves),
  atMs: 1_795_000_000_001,
};
const head = {
  ...signed,
  block: '1',
  at: isoTime(signed.atMs),
  publicKey: ledgerSigner.publicKey,
  signature: ledgerSigner.sign(headMessage(signed)),
};

function header(block: number, previous: string, texts: readonly string[]): Record<string, CanonicalValue> {
  const txRoot = merkleRoot(sha256, texts.map(utf8));
  return { block, previous, txRoot, txCount: texts.length, atMs: 1_795_000_000_000 + block };
}

function proofOf(txIndex: number) {
  return {
    format: 'assay/proof/1',
    transaction: transactions[txIndex] ?? '',
    txIndex,
    txCount: 3,
    txPath: merklePath(sha256, transactions.map(utf8), txIndex),
    header: canonicalJson(second),
    chainPath: merklePath(sha256, leaves, 1),
    head,
  };
}
const proof = proofOf(1);
const text = (value: object): string => JSON.stringify(value);

describe('verifyProof', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 11],
  ])('accepts the proof of transaction %i, whose code is %i', (txIndex, code) => {
    expect(verifyProof(text(proofOf(txIndex)), { ledgerKeys: [head.publicKey] })).toEqual({
      ok: true,
      summary: {
        txId: 'abc'.charAt(txIndex).repeat(64),
        call: 'Contract.verifyWork',
        code,
        block: 1,
        txIndex,
        headBlock: 1,
        ledgerKey: head.publicKey,
        ledgerKeyTrusted: true,
      },
    });
  });

  it('agrees with the platform’s own primitives, and says when no key was trusted', () => {
    expect(verifyProof(text(proof), { crypto: nodeCrypto })).toMatchObject({
      ok: true,
      summary: { ledgerKeyTrusted: false },
    });
  });

  it.each<[string, object, string]>([
    ['another transaction', { ...proof, transaction: transactions[0] }, 'inclusion'],
    ['another place', { ...proof, txIndex: 0 }, 'inclusion'],
    ['another count', { ...proof, txCount: 4 }, 'inclusion'],
    ['a shorter path', { ...proof, txPath: proof.txPath.slice(1) }, 'inclusion'],
    ['a turned path', { ...proof, txPath: proof.txPath.toReversed() }, 'inclusion'],
    ['a chain path of another block', { ...proof, chainPath: merklePath(sha256, leaves, 0) }, 'inclusion'],
    ['another header', { ...proof, header: canonicalJson({ ...second, atMs: 1 }) }, 'inclusion'],
    ['a header that is not canonical', { ...proof, header: `${proof.header} ` }, 'inclusion'],
    ['a head over another root', { ...proof, head: { ...head, chainRoot: '0'.repeat(64) } }, 'inclusion'],
    ['a head of another time', { ...proof, head: { ...head, atMs: 5, at: isoTime(5) } }, 'ledger signature'],
    ['a head that names two times', { ...proof, head: { ...head, at: isoTime(5) } }, 'shape'],
    ['a signature of zeros', { ...proof, head: { ...head, signature: '0'.repeat(128) } }, 'ledger signature'],
    ['a key that is no point', { ...proof, head: { ...head, publicKey: 'f'.repeat(64) } }, 'ledger signature'],
    ['a block number with a leading zero', { ...proof, head: { ...head, block: '01' } }, 'shape'],
    ['a key too many', { ...proof, note: 'believe me' }, 'shape'],
    ['no path', { ...proof, txPath: undefined }, 'shape'],
    ['another format', { ...proof, format: 'assay/proof/2' }, 'shape'],
    ['a list', [], 'shape'],
  ])('refuses %s', (_what, changed, part) => {
    expect(verifyProof(text(changed))).toMatchObject({ ok: false, part, code: expect.stringMatching(/^receipt\./) });
  });

  it.each([['null'], ['{'], [''], ['7'], [undefined], [{}]])('refuses %s as a text', (given) => {
    expect(verifyProof(given)).toMatchObject({ ok: false, part: 'shape', code: 'receipt.malformed' });
  });

  it('refuses a key that the reader does not trust', () => {
    const verdict = verifyProof(text(proof), { ledgerKeys: ['1'.repeat(64)] });
    expect(verdict).toMatchObject({ ok: false, part: 'ledger signature' });
  });

  it('is told from receipts by its beginning', () => {
    expect(isProofText(text(proof))).toBe(true);
    expect(isProofText('{"bundle":[],"format":"assay/proof/1"}')).toBe(false);
  });
});

describe('verifyBlock', () => {
  const block = { header: canonicalJson(second), head };
  it('accepts a header under its own signed head', () => {
    expect(verifyBlock(block, { ledgerKeys: [head.publicKey] })).toEqual({ ok: true, ledgerKey: head.publicKey });
  });

  it.each<[string, { header: unknown; head: unknown }]>([
    ['another header', { ...block, header: canonicalJson({ ...second, txCount: 2 }) }],
    ['a header of another block', { ...block, header: canonicalJson(first) }],
    ['no header', { ...block, header: undefined }],
    ['a forged head', { ...block, head: { ...head, signature: '1'.repeat(128) } }],
    ['no head', { ...block, head: undefined }],
  ])('refuses %s', (_what, changed) => {
    expect(verifyBlock(changed)).toMatchObject({ ok: false });
  });
});
