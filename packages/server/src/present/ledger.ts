/** Blocks, facts, heads and proofs from the ledger to the wire. */

import { isoTime, proofFormat, type Fact, type InclusionProof, type SignedHead } from '@assay/core';
import type { BlockDetail, BlockSummary, PlacedTransaction, RecordChange, SignatureState } from '@assay/ledger';
import type * as wire from '../api/schemas/ledger.ts';

/** A fact; its payload is JSON where a contract of ours made it. */
export function presentFact(fact: Fact): wire.FactLine {
  return {
    at: isoTime(fact.atMs),
    block: fact.block.toString(),
    txId: fact.txId,
    contract: fact.contract,
    name: fact.name,
    payload: payloadOf(fact.payload),
    position: fact.position.toString(),
  };
}

/** A signed head. */
export function presentHead(head: SignedHead): wire.SignedHead {
  const { block, blockHash, chainRoot, atMs, publicKey, signature } = head;
  return { block: block.toString(), blockHash, chainRoot, at: isoTime(atMs), atMs, publicKey, signature };
}

/** A proof, with its head. */
export function presentProof(proof: InclusionProof): wire.InclusionProof {
  const { txPath, chainPath, head, ...rest } = proof;
  return { format: proofFormat, ...rest, txPath: [...txPath], chainPath: [...chainPath], head: presentHead(head) };
}

/** A line of the list of blocks. */
export function presentBlockLine({ number, hash, header }: BlockSummary): wire.BlockLine {
  const { previous: previousHash, atMs, txCount } = header;
  return { number: number.toString(), hash, previousHash, at: isoTime(atMs), txCount };
}

/** A block without its transactions. */
export function presentBlock(block: BlockDetail): wire.Block {
  const { txRoot, ordered, genesis } = block.header;
  return {
    ...presentBlockLine(block),
    txRoot,
    header: block.headerText,
    head: presentHead(block.head),
    ordered: ordered ? { ...ordered } : null,
    genesis: genesis
      ? {
          channel: genesis.channel,
          publicKey: genesis.publicKey,
          organizations: genesis.authorities.map((authority) => authority.mspId),
        }
      : null,
  };
}

/** A line of the list of a block's transactions; names of members are for those who may see everything. */
export function presentTransactionLine(placed: PlacedTransaction, all: boolean): wire.TransactionLine {
  const { record, facts } = placed;
  return {
    block: placed.block.toString(),
    index: placed.txIndex,
    txId: record.txId,
    at: isoTime(placed.atMs),
    contract: record.contract,
    fn: record.fn,
    jobId: placed.job,
    creator: { ...record.creator, name: all ? placed.creatorName : null },
    code: record.code,
    facts: facts.map((fact) => fact.name),
  };
}

/** A transaction with what was asked and what came of it. */
export function presentTransaction(
  placed: PlacedTransaction,
  state: SignatureState,
  all: boolean,
): wire.LedgerTransaction {
  const { args, result, signature, leaves, atMs, reads, writes } = placed.record;
  return {
    ...presentTransactionLine(placed, all),
    facts: placed.facts.map(({ name, payload }) => ({ name, payload: payloadOf(payload) })),
    args: [...args],
    result,
    signature: { value: signature ?? null, state },
    leaves: leaves ? { ...leaves } : null,
    proposedAt: isoTime(atMs),
    reads: reads.length,
    writes: writes.length,
    provable: placed.isIdentified,
  };
}

/** A change of a worker's record. */
export function presentWorkerChange(change: RecordChange, all: boolean): wire.WorkerChange {
  const record = change.value === null ? null : payloadOf(change.value);
  return { ...presentTransactionLine(change, all), counters: countersOf(record) };
}

function countersOf(record: unknown): wire.WorkerChange['counters'] {
  if (typeof record !== 'object' || record === null) return null;
  const of = (name: string): number => Number((record as Record<string, unknown>)[name] ?? 0);
  return { agreed: of('agreed'), disagreed: of('disagreed'), lost: of('lost'), slashed: of('slashed') };
}

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
