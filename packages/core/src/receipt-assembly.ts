/** Puts a receipt together from what the market stored: the one place that decides its order and its references. */

import { assert } from './errors.ts';
import { fromHex, type Sha256, type Sha256Hex } from './hash.ts';
import type { AccountId, JobId, ReplicaId, RequestId, UnitId, WorkerId } from './ids.ts';
import { canonicalManifest, comparatorOf } from './manifest.ts';
import type { Manifest } from './manifest-shape.ts';
import { sidedPath } from './merkle-sides.ts';
import { moneyToJson, type Money, type MoneyJson } from './money.ts';
import type { InclusionProof, SignedHead } from './ports/ledger.ts';
import type { JobTerms } from './quote.ts';
import {
  receiptFormat,
  type EnvelopeLeaf,
  type Receipt,
  type ReceiptComparator,
  type ReceiptHead,
  type ReceiptUnit,
} from './receipt.ts';
import type { Ruling } from './ruling.ts';
import type { Envelope, UnitVerdict } from './statement.ts';
import type { Tree } from './tree.ts';
import { quorumOf } from './verdict.ts';

/** What the store knows about a job, in its own terms. */
export interface ReceiptSource {
  readonly job: JobId;
  readonly state: Receipt['state'];
  readonly manifest: Manifest;
  readonly bundle: Tree;
  readonly terms: JobTerms;
  /** Every exchange in which a replica of the job committed or revealed. */
  readonly exchanges: readonly SourceExchange[];
  readonly units: readonly SourceUnit[];
  /** Of listContract, activateContract, each submitWork, verifyWork, and completeContract or resolveDispute. */
  readonly proofs: readonly InclusionProof[];
  readonly ruling: Ruling | null;
  /** Null while the job is verified only. */
  readonly money: { readonly payees: readonly SourcePayee[]; readonly refunded: Money } | null;
}

export interface SourceExchange extends Envelope {
  readonly publicKey: string;
  readonly owner: AccountId;
  readonly signature: string;
  /** The 32-byte hashes of the statements' leaves in order, as one hex text. */
  readonly leafHashes: string;
}

export interface SourceUnit {
  readonly verdict: UnitVerdict;
  /** Counts the `submitWork` transactions from 0. */
  readonly batch: number;
  /** The files of the canonical replica. */
  readonly outputs: Tree;
  /** Those that revealed. */
  readonly replicas: readonly SourceReplica[];
}

export interface SourceReplica {
  readonly replica: ReplicaId;
  readonly worker: WorkerId;
  readonly unit: UnitId;
  readonly machineClass: string;
  readonly nonce: string;
  readonly commitment: Sha256Hex;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly metrics: string | null;
  readonly committed: { readonly request: RequestId; readonly leaf: number };
  readonly revealed: { readonly request: RequestId; readonly leaf: number };
}

export interface SourcePayee {
  readonly account: AccountId;
  readonly replicas: number;
  readonly gross: Money;
  readonly commission: Money;
  readonly net: Money;
}

/** The receipt. Only what the job's own replicas need of each exchange goes into it. */
export function assembleReceipt(sha256: Sha256, source: ReceiptSource): Receipt {
  const { manifest, terms, money, ruling } = source;
  const needed = new Set(
    source.units.flatMap((unit) => unit.replicas.flatMap((one) => [one.committed.request, one.revealed.request])),
  );
  const exchanges = source.exchanges
    .filter((one) => needed.has(one.request))
    .toSorted((a, b) => compare(a.worker, b.worker) || compare(a.request, b.request));
  const devices = new Map(exchanges.map(({ worker, owner, publicKey }) => [worker, { worker, owner, publicKey }]));
  return {
    format: receiptFormat,
    job: source.job,
    state: source.state,
    manifest: canonicalManifest(manifest),
    bundle: byPath(source.bundle),
    terms: {
      perReplica: json(terms.perReplica),
      cap: json(terms.cap),
      deposit: json(terms.deposit),
      redundancy: terms.redundancy,
      units: terms.units,
    },
    comparator: receiptComparator(manifest),
    devices: [...devices.values()],
    envelopes: exchanges.map(({ worker, request, sentAtMs, statementsRoot, bodySha256, signature }) => ({
      worker,
      request,
      sentAtMs,
      statementsRoot,
      bodySha256,
      signature,
    })),
    units: unitsOf(sha256, source.units, exchanges),
    ledger: ledgerOf(source.proofs),
    ruling: ruling && { outcome: ruling.outcome, refund: json(ruling.refund), reason: ruling.reason },
    money: money && {
      payees: money.payees
        .toSorted((a, b) => compare(a.account, b.account))
        .map(({ account, replicas, gross, commission, net }) => ({
          account,
          replicas,
          gross: json(gross),
          commission: json(commission),
          net: json(net),
        })),
      refunded: json(money.refunded),
    },
  };
}

/** How a receipt names the comparison that a manifest asks for. */
export function receiptComparator(manifest: Manifest): ReceiptComparator {
  const { verification } = manifest;
  const quorum = quorumOf(verification.redundancy);
  const comparator = comparatorOf(manifest);
  return comparator.type === 'metric' && verification.type === 'metric'
    ? { rule: 'metric/1', quorum, metric: verification.metric_name, tolerance: String(comparator.tolerance) }
    : { rule: 'exact/1', quorum };
}

function unitsOf(sha256: Sha256, units: readonly SourceUnit[], exchanges: readonly SourceExchange[]): ReceiptUnit[] {
  const places = new Map(exchanges.map((one, index) => [one.request, { index, hashes: hashesOf(one.leafHashes) }]));
  const leafOf = ({ request, leaf }: { request: RequestId; leaf: number }): EnvelopeLeaf => {
    const place = places.get(request);
    assert(place !== undefined, 'the exchange of every statement is at hand');
    return { envelope: place.index, path: sidedPath(sha256, place.hashes, leaf) };
  };
  return units
    .toSorted((a, b) => compare(b.verdict.kind, a.verdict.kind) || a.verdict.ordinal - b.verdict.ordinal)
    .map(({ verdict, batch, outputs, replicas }) => ({
      unit: verdict.unit,
      ordinal: verdict.ordinal,
      kind: verdict.kind,
      batch,
      verdict: {
        digest: verdict.digest,
        exitCode: verdict.exitCode,
        metric: verdict.metric,
        canonical: verdict.canonical,
        agreeing: verdict.agreeing.toSorted(),
      },
      outputs: byPath(outputs),
      replicas: replicas
        .toSorted((a, b) => compare(a.replica, b.replica))
        .map(
          ({ replica, worker, machineClass, nonce, commitment, digest, exitCode, metrics, committed, revealed }) => ({
            replica,
            worker,
            machineClass,
            nonce,
            commitment,
            digest,
            exitCode,
            metrics,
            committed: leafOf(committed),
            revealed: leafOf(revealed),
          }),
        ),
    }));
}

function ledgerOf(proofs: readonly InclusionProof[]): Receipt['ledger'] {
  const heads: ReceiptHead[] = [];
  const indexOf = (head: SignedHead): number => {
    const known = heads.findIndex((one) => one.signature === head.signature);
    if (known >= 0) return known;
    const { blockHash, chainRoot, atMs, publicKey, signature } = head;
    return heads.push({ block: Number(head.block), blockHash, chainRoot, atMs, publicKey, signature }) - 1;
  };
  const placed = proofs.map((proof) => ({ proof, block: (JSON.parse(proof.header) as { block: number }).block }));
  placed.sort((a, b) => a.block - b.block || a.proof.txIndex - b.proof.txIndex);
  const facts = placed.map(({ proof: { transaction, txIndex, txPath, header, chainPath, head } }) => ({
    transaction,
    txIndex,
    txPath,
    header,
    chainPath,
    head: indexOf(head),
  }));
  return { heads, facts };
}

function hashesOf(hex: string): Uint8Array[] {
  const bytes = fromHex(hex);
  return Array.from({ length: bytes.length / 32 }, (_, index) => bytes.slice(index * 32, index * 32 + 32));
}

function byPath(tree: Tree): Tree {
  return tree
    .toSorted((a, b) => compare(a.path, b.path))
    .map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 }));
}

function json(value: Money): MoneyJson {
  return moneyToJson(value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
