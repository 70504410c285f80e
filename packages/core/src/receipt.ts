/**
 * The receipt: portable proof of a settled job, checked offline. Every value in it is bound by a hash, a signature or a
 * sum, so that no byte of its canonical text can change unnoticed.
 */

import { canonicalJson, type CanonicalValue, type Sha256Hex } from './hash.ts';
import type { AccountId, JobId, ReplicaId, UnitId, WorkerId } from './ids.ts';
import type { MoneyJson } from './money.ts';
import type { Envelope, UnitVerdict } from './statement.ts';
import type { Tree } from './tree.ts';
import type { UnitKind } from './unit.ts';

export const receiptFormat = 'assay/receipt/2';

export interface Receipt {
  readonly format: typeof receiptFormat;
  readonly job: JobId;
  /** `verified` while the challenge window is open: then nothing is settled yet. */
  readonly state: 'verified' | 'completed' | 'refunded';
  /** As `canonicalManifest` writes it. */
  readonly manifest: { readonly [key: string]: CanonicalValue };
  /** In code unit order of the paths. */
  readonly bundle: Tree;
  readonly terms: ReceiptTerms;
  readonly comparator: ReceiptComparator;
  /** The devices that revealed results, by worker. */
  readonly devices: readonly ReceiptDevice[];
  /** The signed requests that the evidence points into, by (worker, request). */
  readonly envelopes: readonly (Envelope & { readonly signature: string })[];
  /** Work units by ordinal, then the merge unit. */
  readonly units: readonly ReceiptUnit[];
  readonly ledger: ReceiptLedger;
  readonly ruling: {
    readonly outcome: 'COMPLETED' | 'REFUNDED';
    readonly refund: MoneyJson;
    readonly reason: string;
  } | null;
  /** Null while `verified`. */
  readonly money: ReceiptMoney | null;
}

/** What the job costs at most; its hash is in the listing on the ledger. */
export interface ReceiptTerms {
  readonly perReplica: MoneyJson;
  readonly cap: MoneyJson;
  readonly deposit: MoneyJson;
  readonly redundancy: number;
  readonly units: number;
}

/** How results were compared. */
export type ReceiptComparator =
  | { readonly rule: 'exact/1'; readonly quorum: number }
  | { readonly rule: 'metric/1'; readonly quorum: number; readonly metric: string; readonly tolerance: string };

export interface ReceiptDevice {
  readonly worker: WorkerId;
  /** Who owns the device and is paid. */
  readonly owner: AccountId;
  /** ed25519, hex. */
  readonly publicKey: string;
}

export interface ReceiptUnit {
  readonly unit: UnitId;
  readonly ordinal: number;
  readonly kind: UnitKind;
  /** Which of the `Contract.submitWork` transactions, from 0, recorded the verdict. */
  readonly batch: number;
  readonly verdict: Pick<UnitVerdict, 'digest' | 'exitCode' | 'metric' | 'canonical' | 'agreeing'>;
  /** The files of the canonical result. */
  readonly outputs: Tree;
  /** Every replica that revealed, by id. */
  readonly replicas: readonly ReceiptReplica[];
}

export interface ReceiptReplica {
  readonly replica: ReplicaId;
  readonly worker: WorkerId;
  /** What computed the result: the runner's digest, with the architecture where that counts. */
  readonly machineClass: string;
  readonly nonce: string;
  readonly commitment: Sha256Hex;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  /** The text of metrics.json; null where the job has no metric or the run failed. */
  readonly metrics: string | null;
  readonly committed: EnvelopeLeaf;
  readonly revealed: EnvelopeLeaf;
}

/** A statement's place under the root that a device signed. */
export interface EnvelopeLeaf {
  /** Index into `envelopes`. */
  readonly envelope: number;
  /** Siblings from the leaf up, each with its side: `L<hash>` or `R<hash>`. */
  readonly path: readonly string[];
}

export interface ReceiptLedger {
  readonly heads: readonly ReceiptHead[];
  /** listContract, activateContract, each submitWork, verifyWork, and the end where there is one; in chain order. */
  readonly facts: readonly ReceiptFact[];
}

export interface ReceiptHead {
  readonly block: number;
  readonly blockHash: Sha256Hex;
  readonly chainRoot: Sha256Hex;
  readonly atMs: number;
  readonly publicKey: string;
  readonly signature: string;
}

/** An inclusion proof; sizes of the trees are in the header and the head. */
export interface ReceiptFact {
  readonly transaction: string;
  readonly txIndex: number;
  readonly txPath: readonly Sha256Hex[];
  readonly header: string;
  readonly chainPath: readonly Sha256Hex[];
  /** Index into `heads`. */
  readonly head: number;
}

export interface ReceiptMoney {
  /** Who earned what, by account; gross = commission + net. */
  readonly payees: readonly ReceiptPayee[];
  /** The deposit less all gross earnings. */
  readonly refunded: MoneyJson;
}

export interface ReceiptPayee {
  readonly account: AccountId;
  /** Agreed replicas. */
  readonly replicas: number;
  readonly gross: MoneyJson;
  readonly commission: MoneyJson;
  readonly net: MoneyJson;
}

/** The text of a receipt file: canonical JSON and a line feed. */
export function receiptText(receipt: Receipt): string {
  return `${canonicalJson(receipt as unknown as CanonicalValue)}\n`;
}
