/** Blocks, facts, heads and proofs from the ledger to the wire. */

import { isoTime, type Fact, type InclusionProof, type SignedHead, type TransactionRecord } from '@assay/core';
import type { BlockDetail } from '@assay/ledger';
import type * as wire from '../api/schemas/ledger.ts';

/** A fact; its payload is JSON. */
export function presentFact(fact: Fact): wire.FactLine {
  return {
    at: isoTime(fact.atMs),
    block: fact.block.toString(),
    txId: fact.txId,
    contract: fact.contract,
    name: fact.name,
    payload: JSON.parse(fact.payload) as unknown,
  };
}

/** A signed head. */
export function presentHead(head: SignedHead): wire.SignedHead {
  const { block, blockHash, chainRoot, atMs, publicKey, signature } = head;
  return { block: block.toString(), blockHash, chainRoot, at: isoTime(atMs), atMs, publicKey, signature };
}

/** A proof, with its head. */
export function presentProof(proof: InclusionProof): wire.InclusionProof {
  return { ...proof, txPath: [...proof.txPath], chainPath: [...proof.chainPath], head: presentHead(proof.head) };
}

/** A block with its transactions. */
export function presentBlock(block: BlockDetail): wire.Block {
  return {
    number: block.number.toString(),
    hash: block.hash,
    previousHash: block.header.previous,
    at: isoTime(block.header.atMs),
    transactions: block.transactions.map(presentTransaction),
  };
}

function presentTransaction(record: TransactionRecord): wire.Block['transactions'][number] {
  const { txId, contract, fn, args, creator, event } = record;
  return {
    txId,
    contract,
    fn,
    args: [...args],
    creator: creator.mspId,
    event: event === null ? null : { name: event.name, payload: payloadOf(event.payload) },
  };
}

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
