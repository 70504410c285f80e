/** A transaction in a block, a block in the chain, the chain under a signed head: what receipts and single proofs share. */

import {
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  utf8,
  verifyMerklePath,
  type CanonicalValue,
  type ReceiptFact,
  type ReceiptHead,
  type Sha256,
  type Sha256Hex,
} from '@assay/core';
import { hold, invalid } from './receipt-context.ts';
import type { ReceiptCrypto } from './receipt-crypto.ts';

/** What the check of an inclusion needs of the header that it read. */
export interface IncludingBlock {
  readonly block: number;
  readonly blockHash: Sha256Hex;
  readonly txCount: number;
}

/** Throws `receipt.invalid` unless the head's signature is by the key that it names. */
export function holdSigned(crypto: ReceiptCrypto, head: ReceiptHead): void {
  const message = utf8(headMessage({ ...head, block: BigInt(head.block) }));
  const signed = crypto.verifyEd25519(fromHex(head.signature), message, fromHex(head.publicKey));
  hold(signed, `the head of block ${head.block} is not signed by its key`);
}

/** Throws `receipt.invalid` unless the transaction is in a block that is part of the chain under `head`. */
export function holdIncluded(sha256: Sha256, fact: Omit<ReceiptFact, 'head'>, head: ReceiptHead): IncludingBlock {
  const header = objectIn(fact.header);
  const { block, txRoot, txCount } = header;
  hold(
    typeof block === 'number' && typeof txRoot === 'string' && typeof txCount === 'number',
    'a header is incomplete',
  );
  const leaf = utf8(fact.transaction);
  const inBlock = verifyMerklePath(sha256, {
    leaf,
    index: fact.txIndex,
    size: txCount,
    path: fact.txPath,
    root: txRoot,
  });
  hold(inBlock, `a transaction is not in block ${block}`);
  const blockHash = hashOf(sha256, 'block', header as CanonicalValue & object);
  const inChain = verifyMerklePath(sha256, {
    leaf: fromHex(blockHash),
    index: block,
    size: head.block + 1,
    path: fact.chainPath,
    root: head.chainRoot,
  });
  hold(inChain, `block ${block} is not under the head of block ${head.block}`);
  hold(block !== head.block || blockHash === head.blockHash, `the head names another block ${block}`);
  return { block, blockHash, txCount };
}

/** The object in a JSON text, which must be canonical unless it is an argument as someone sent it. */
export function objectIn(text: string, canonical = true): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (canonical && canonicalJson(value as CanonicalValue) !== text) throw invalid('not canonical JSON');
  } catch {
    throw invalid('a ledger record is not canonical JSON');
  }
  hold(typeof value === 'object' && value !== null && !Array.isArray(value), 'a ledger record is no object');
  return value as Record<string, unknown>;
}
