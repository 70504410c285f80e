/** The permissioned ledger: facts that others can check. */

import type { Sha256Hex } from '../hash.ts';

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
}

export type SubmissionOutcome =
  | { readonly kind: 'committed'; readonly txId: Sha256Hex; readonly block: bigint; readonly result: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'conflict'; readonly message: string };

/** What a contract made known: one event per transaction, in block order. */
export interface Fact {
  /** Position in the stream of facts, ascending without gaps. */
  readonly position: bigint;
  readonly block: bigint;
  readonly txIndex: number;
  readonly txId: Sha256Hex;
  readonly contract: ContractName;
  readonly name: string;
  /** Canonical JSON. */
  readonly payload: string;
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

/** An engine that runs the four contracts. */
export interface Ledger {
  readonly engine: 'embedded' | 'fabric';
  /** Commits each submission or says why not, in order; an outage faults `ledger.unavailable`. */
  submit(submissions: readonly Submission[], as: LedgerIdentity): Promise<readonly SubmissionOutcome[]>;
  /** Runs a read-only function on committed state; refuses `ledger.refused` or `ledger.unknown_function`. */
  evaluate(contract: ContractName, fn: string, args: readonly string[], as: LedgerIdentity): Promise<string>;
  /** At most `limit` facts from `position` on. */
  facts(position: bigint, limit: number): Promise<readonly Fact[]>;
  /** Refuses `ledger.not_found`. */
  prove(txId: Sha256Hex): Promise<InclusionProof>;
  head(): Promise<SignedHead>;
}
