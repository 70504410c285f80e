/**
 * The permissioned ledger: facts that others can check. What is hashed, once for all parties:
 *
 * - the leaf of a transaction is the UTF-8 of its canonical JSON; a block's `txRoot` is `merkleRoot` over its leaves;
 * - a block's hash is SHA-256 over `assay/block/1\n<header>`, the header in canonical JSON (`hashOf(…, 'block', header)`);
 * - the leaf of a block in the chain's tree is the 32 bytes of its hash, its index the block's number;
 * - a head's signature is ed25519 over the UTF-8 of `headMessage(head)`;
 * - a transaction's signature is its creator's: ed25519 over the UTF-8 of `proposalMessage(channel, transaction)`;
 * - the root over the leaves of a transaction is `merkleRoot` over the UTF-8 of each.
 */

import { canonicalJson, type Sha256Hex } from '../hash.ts';

export const contractNames = ['Marketplace', 'Contract', 'Reputation', 'EscrowTrigger'] as const;
export type ContractName = (typeof contractNames)[number];

/** Who signs a transaction: an organisation's member and the roles its certificate carries. */
export interface LedgerIdentity {
  readonly mspId: string;
  readonly name: string;
  readonly roles: readonly string[];
}

export interface Submission {
  readonly contract: ContractName;
  readonly fn: string;
  readonly args: readonly string[];
  /** The same key commits once, however often it is sent. */
  readonly idempotencyKey: string;
  /**
   * Text for `Contract.sealDetails`: it goes to the channel members' private stores, and only its hash onto the chain. An
   * engine without private data refuses `ledger.refused`.
   */
  readonly sealed?: string;
  /**
   * Batched facts: 1 to `limits.ledgerLeaves` texts that stand on the chain with the transaction, each provable by itself.
   * The creator signs their Merkle root; contracts do not see them. An engine that keeps none refuses `ledger.refused`.
   */
  readonly leaves?: readonly string[];
}

export type SubmissionOutcome =
  | { readonly kind: 'committed'; readonly txId: Sha256Hex; readonly block: bigint; readonly result: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string };

/** What a contract made known. A transaction has one event, which may hold several facts; they come in block order. */
export interface Fact {
  /** Position in the stream of facts, from 1 without gaps. */
  readonly position: bigint;
  readonly block: bigint;
  readonly txIndex: number;
  readonly txId: Sha256Hex;
  readonly contract: ContractName;
  readonly name: string;
  /** Canonical JSON; its `job` and `worker` members say what the fact is about. */
  readonly payload: string;
  /** When the block was made. */
  readonly atMs: number;
}

/** A head of the chain, signed by the ledger's key. */
export interface SignedHead {
  readonly block: bigint;
  readonly blockHash: Sha256Hex;
  /** Root of the Merkle tree (RFC 6962) over all block hashes so far; its size is `block + 1`. */
  readonly chainRoot: Sha256Hex;
  readonly atMs: number;
  /** ed25519 public key, hex. */
  readonly publicKey: string;
  /** ed25519 signature, hex. */
  readonly signature: string;
}

/** The text that the ledger's key signs for a head. */
export function headMessage(head: Pick<SignedHead, 'block' | 'blockHash' | 'chainRoot' | 'atMs'>): string {
  return `assay/head/1\n${head.block}\n${head.blockHash}\n${head.chainRoot}\n${head.atMs}`;
}

/**
 * What the creator of a transaction signs: the call, its place (channel, idempotency key) and a nonce, from which with the
 * creator the transaction's id follows, so that a signature commits once. No time: contracts see the ledger's clock,
 * which no client sets.
 */
export function proposalMessage(
  channel: string,
  proposal: Pick<TransactionRecord, 'contract' | 'fn' | 'args' | 'key' | 'nonce' | 'creator' | 'leaves'>,
): string {
  const { contract, fn, args, key, nonce, creator } = proposal;
  const { mspId, certificate } = creator;
  const leaves = proposal.leaves && { count: proposal.leaves.count, root: proposal.leaves.root };
  const signed = {
    args,
    channel,
    contract,
    creator: { certificate, mspId },
    fn,
    key,
    ...(leaves && { leaves }),
    nonce,
  };
  return `assay/proposal/1\n${canonicalJson(signed)}`;
}

/** What a block's header says, as its canonical JSON carries it. */
export interface BlockHeader {
  readonly block: number;
  /** Hash of the block before; 64 zeros for block 0, which has no transactions. */
  readonly previous: string;
  readonly txRoot: string;
  readonly txCount: number;
  readonly atMs: number;
  /**
   * Where another network ordered the transactions: the hash of its header of this block, and what that header names.
   * `hash` is SHA-256 over the DER sequence of number, previous hash and data hash, as Hyperledger Fabric defines it.
   */
  readonly ordered?: Readonly<{ hash: string; previous: string; data: string }>;
  /** Only in block 0: the ledger's key and the certificates of the organisations' authorities. */
  readonly genesis?: Readonly<{
    channel: string;
    publicKey: string;
    authorities: readonly Readonly<{ mspId: string; certificate: string }>[];
  }>;
}

/** Why a transaction counts or does not; the numbers are Fabric's validation codes, of which Fabric itself knows more. */
export const transactionCodes = { valid: 0, mvccConflict: 11, phantomConflict: 12 } as const;
export type TransactionCode = (typeof transactionCodes)[keyof typeof transactionCodes];

/** When a key was last written: block and index of the transaction; null for a key that is not there. */
export type StateVersion = readonly [block: number, txIndex: number] | null;

/** A transaction as its canonical JSON carries it: what was asked, by whom, what it read and wrote, and its outcome. */
export interface TransactionRecord {
  readonly txId: string;
  readonly key: string;
  readonly contract: string;
  readonly fn: string;
  readonly args: readonly string[];
  /** The organisation and the SHA-256 of the certificate (PEM) of who asked. */
  readonly creator: Readonly<{ mspId: string; certificate: string }>;
  /** Hex; `txId` is SHA-256 over it, the organisation and the certificate, each ended by a zero byte. */
  readonly nonce: string;
  /**
   * The creator's ed25519 signature over `proposalMessage`, hex. Absent where another network ordered the transaction:
   * there the creator signed that network's envelope.
   */
  readonly signature?: string;
  /** How many leaves came with the transaction, and the Merkle root over them; absent where none did. */
  readonly leaves?: Readonly<{ count: number; root: string }>;
  /** The clock of who asked. */
  readonly atMs: number;
  readonly reads: readonly (readonly [key: string, version: StateVersion])[];
  /** Range queries: bounds, the last key looked at when it stopped early, and every key it saw. */
  readonly ranges: readonly Readonly<{
    start: string;
    end: string;
    stoppedAt: string | null;
    saw: readonly (readonly [key: string, version: StateVersion])[];
  }>[];
  /** Null deletes. */
  readonly writes: readonly (readonly [key: string, value: string | null])[];
  readonly event: Readonly<{ name: string; payload: string }> | null;
  readonly result: string;
  readonly code: TransactionCode;
}

/** What the JSON of an inclusion proof calls itself. */
export const proofFormat = 'assay/proof/1';

/** Proves that one transaction is part of the chain under a signed head. */
export interface InclusionProof {
  /** Canonical JSON of the transaction, which hashes to the leaf. */
  readonly transaction: string;
  readonly txIndex: number;
  readonly txCount: number;
  readonly txPath: readonly Sha256Hex[];
  /** Canonical JSON of the block header, which holds the root over its transactions. */
  readonly header: string;
  readonly chainPath: readonly Sha256Hex[];
  readonly head: SignedHead;
}

/** Proves that one leaf is among those that came with a transaction of the chain. */
export interface LeafProof {
  readonly leaf: string;
  readonly index: number;
  /** From the leaf to the root that the transaction names. */
  readonly path: readonly Sha256Hex[];
  readonly transaction: InclusionProof;
}

/** Proves that a later head only adds blocks to an earlier one (RFC 6962 §2.1.2). */
export interface ConsistencyProof {
  readonly path: readonly Sha256Hex[];
  readonly head: SignedHead;
}

/** An engine that runs the four contracts. */
export interface Ledger {
  readonly engine: 'embedded' | 'fabric';
  /**
   * Commits each submission or says why not, in order: one that depends on another of the same call sees its effects.
   * `conflict` means that the same submission may succeed when sent again. An outage faults `ledger.unavailable`.
   */
  submit(submissions: readonly Submission[], as: LedgerIdentity): Promise<readonly SubmissionOutcome[]>;
  /** Runs a read-only function on committed state; refuses with the contract's code or `ledger.unknown_function`. */
  evaluate(contract: ContractName, fn: string, args: readonly string[], as: LedgerIdentity): Promise<string>;
  /** At most `limit` facts from `position` on. */
  facts(position: bigint, limit: number): Promise<readonly Fact[]>;
  /** Refuses `ledger.not_found`. */
  prove(txId: Sha256Hex): Promise<InclusionProof>;
  /** One leaf of the transaction, counted from 0; refuses `ledger.not_found`. */
  proveLeaf(txId: Sha256Hex, index: number): Promise<LeafProof>;
  /** From the head of block `earlier` to the newest; refuses `ledger.not_found`. */
  proveConsistency(earlier: bigint): Promise<ConsistencyProof>;
  head(): Promise<SignedHead>;
}
