/** A whole settled job made up for tests: devices, exchanges, verdicts, a small ledger and the receipt over them. */

import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import {
  assembleReceipt,
  assess,
  batchRoots,
  canonicalJson,
  commitLeaf,
  commitmentOf,
  comparatorOf,
  envelopeText,
  fromHex,
  hashOf,
  headMessage,
  idPrefixes,
  manifestHash,
  merkleLeaf,
  merklePath,
  merkleRoot,
  merkleRootOfHashes,
  money,
  parseManifest,
  parseSha256,
  readMetric,
  rulingHash,
  statementLeaf,
  termsHash,
  toHex,
  treeDigest,
  utf8,
  type AccountId,
  type CanonicalValue,
  type Id,
  type IdKind,
  type InclusionProof,
  type JobTerms,
  type Manifest,
  type Money,
  type ReceiptSource,
  type ResultStatement,
  type Ruling,
  type Sha256Hex,
  type SourceExchange,
  type SourceReplica,
  type SourceUnit,
  type Tree,
} from '@assay/core';
import type { ReceiptCrypto } from './receipt-crypto.ts';

export const commonClass = `${'e'.repeat(64)}/x64`;

const der = { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' };

/** Node's primitives, which are fast enough to check a receipt ten thousand times. */
export const nodeCrypto: ReceiptCrypto = {
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
  verifyEd25519(signature, message, publicKey) {
    const key = Buffer.concat([Buffer.from(der.public, 'hex'), publicKey]);
    try {
      return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
    } catch {
      return false;
    }
  },
};
const { sha256 } = nodeCrypto;

function hashOfText(text: string): Sha256Hex {
  const digest = parseSha256(toHex(sha256(utf8(text))));
  if (!digest) throw new Error('SHA-256 gives 32 bytes');
  return digest;
}

/** An id that tests can read: its prefix and the digits of `number`. */
function id<Kind extends IdKind>(kind: Kind, number: number): Id<Kind> {
  return `${idPrefixes[kind]}_${number.toString(16).padStart(32, '0')}` as Id<Kind>;
}

interface Signer {
  readonly publicKey: string;
  sign(text: string): string;
}

function signer(seed: string): Signer {
  const key = Buffer.concat([Buffer.from(der.private, 'hex'), sha256(utf8(seed))]);
  const privateKey: KeyObject = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: spki.subarray(-32).toString('hex'),
    sign: (text) => sign(null, utf8(text), privateKey).toString('hex'),
  };
}

export const ledgerSigner = signer('ledger');
const job = id('job', 1);

export interface SyntheticOptions {
  readonly verification: CanonicalValue;
  readonly chunks: number;
  readonly merge: boolean;
  /** What worker `worker` finds in unit `unit`. */
  readonly valueOf: (unit: number, worker: number) => number;
  /** The machine class of worker `worker`; the same for all where it is left out. */
  readonly classOf?: (worker: number) => string;
  /** Workers of each unit. */
  readonly workers: number;
  readonly state: ReceiptSource['state'];
  readonly ruling?: Ruling;
}

/** Plays the job through and hands out what a receipt is assembled from. */
function syntheticJob(options: SyntheticOptions): ReceiptSource {
  const manifest = manifestFor(options);
  const bundle = ['main.py', 'merge.py', 'requirements.txt'].map((path) => file(path, `content of ${path}`));
  const unitCount = options.chunks + (options.merge ? 1 : 0);
  const { redundancy } = manifest.verification;
  const perReplica = money('USD', 3n);
  const cap = money('USD', 3n * BigInt(redundancy * unitCount));
  const terms: JobTerms = { perReplica, cap, deposit: money('USD', cap.minor + 7n), redundancy, units: unitCount };
  const exchanges: SourceExchange[] = [];
  const units = Array.from({ length: unitCount }, (_, number) => playUnit(options, manifest, number, exchanges));
  const ruling = options.ruling ?? null;
  return {
    job,
    state: options.state,
    manifest,
    bundle,
    terms,
    exchanges,
    units,
    proofs: prove(callsOf(options, { manifest, bundle, terms, units, ruling })),
    ruling,
    money: options.state === 'verified' ? null : settle(units, terms, ruling),
  };
}

function manifestFor({ chunks, merge, verification }: SyntheticOptions): Manifest {
  const parallelism = merge ? { chunks, merge_script: 'merge.py' } : { chunks };
  const runner = 'platform-runner:python-3.14';
  const value = { runner, entry_point: 'main.py', parallelism, verification, budget_usd: 5, timeout_hours: 0.5 };
  return parseManifest(value, { runners: [runner] });
}

function file(path: string, content: string): Tree[number] {
  return { path, sizeBytes: utf8(content).length, sha256: hashOfText(content) };
}

interface Run {
  readonly replica: SourceReplica;
  readonly statement: ResultStatement;
  readonly outputs: Tree;
}

function playUnit(
  options: SyntheticOptions,
  manifest: Manifest,
  number: number,
  exchanges: SourceExchange[],
): SourceUnit {
  const kind = number < options.chunks ? 'work' : 'merge';
  const unit = id('unit', number + 1);
  const runs = Array.from({ length: options.workers }, (_, worker) => playReplica(options, number, worker, exchanges));
  const comparator = comparatorOf(manifest, kind);
  const name = manifest.verification.type === 'metric' ? manifest.verification.metric_name : '';
  const judged = assess(
    { comparator, redundancy: manifest.verification.redundancy, attemptsFactor: 3, lossesFactor: 10 },
    {
      unclaimed: 0,
      patienceOver: true,
      replicas: runs.map(({ replica }) => ({
        replica: replica.replica,
        state: 'revealed',
        independenceKey: replica.worker,
        digest: replica.digest,
        exitCode: replica.exitCode,
        metric: comparator.type === 'metric' && replica.metrics !== null ? readMetric(replica.metrics, name) : null,
      })),
    },
  );
  if (judged.kind !== 'agreed') throw new Error(`the synthetic unit ${number} is ${judged.kind}`);
  const { digest, exitCode, canonical, agreeing } = judged;
  const metric = judged.metric === null ? null : String(judged.metric);
  const ordinal = kind === 'work' ? number : 0;
  const outputs = runs.find((run) => run.replica.replica === canonical)?.outputs ?? [];
  const replicas = runs.map((run) => run.replica);
  return {
    verdict: { unit, ordinal, kind, digest, exitCode, metric, canonical, agreeing },
    batch: number % 2,
    outputs,
    replicas,
  };
}

function playReplica(
  options: SyntheticOptions,
  number: number,
  workerNumber: number,
  exchanges: SourceExchange[],
): Run {
  const unit = id('unit', number + 1);
  const worker = id('worker', workerNumber + 1);
  const replica = id('replica', 16 * (number + 1) + workerNumber);
  const metrics = JSON.stringify({ pi: options.valueOf(number, workerNumber) });
  const outputs = [file('metrics.json', metrics)];
  const digest = treeDigest(sha256, outputs);
  const nonce = hashOfText(`nonce of ${replica}`);
  const machineClass = options.classOf?.(workerNumber) ?? commonClass;
  const commitment = commitmentOf(sha256, { job, unit, worker, nonce, digest });
  const statement = { job, unit, replica, worker, machineClass, digest, exitCode: 0, metrics: hashOfText(metrics) };
  const committed = exchange(workerNumber, exchanges, commitLeaf(replica, commitment));
  const revealed = exchange(workerNumber, exchanges, statementLeaf(statement));
  return {
    statement,
    outputs,
    replica: {
      replica,
      worker,
      unit,
      machineClass,
      nonce,
      commitment,
      digest,
      exitCode: 0,
      metrics,
      committed,
      revealed,
    },
  };
}

/** One signed request that carries the leaf among leaves of other jobs. */
function exchange(workerNumber: number, exchanges: SourceExchange[], leaf: Uint8Array): SourceReplica['committed'] {
  const number = exchanges.length + 1;
  const others: Uint8Array[] = Array.from({ length: number % 4 }, (_, index) => utf8(`leaf ${index} of another job`));
  const at = number % (others.length + 1);
  const leaves = others.toSpliced(at, 0, leaf).map((one) => merkleLeaf(sha256, one));
  const device = signer(`device ${workerNumber}`);
  const envelope = {
    worker: id('worker', workerNumber + 1),
    request: id('request', number),
    sentAtMs: 1_795_000_000_000 + number,
    statementsRoot: merkleRootOfHashes(sha256, leaves),
    bodySha256: hashOfText(`body of ${number}`),
  };
  exchanges.push({
    ...envelope,
    publicKey: device.publicKey,
    owner: ownerOf(workerNumber),
    signature: device.sign(envelopeText(envelope)),
    leafHashes: leaves.map(toHex).join(''),
  });
  return { request: envelope.request, leaf: at };
}

function ownerOf(workerNumber: number): AccountId {
  return id('account', workerNumber + 1);
}

type Call = readonly [contract: string, fn: string, ...args: string[]];

function callsOf(
  { state }: SyntheticOptions,
  { manifest, bundle, terms, units, ruling }: Pick<ReceiptSource, 'manifest' | 'bundle' | 'terms' | 'units' | 'ruling'>,
): Call[] {
  const details = {
    manifestHash: manifestHash(sha256, manifest),
    bundleDigest: treeDigest(sha256, bundle),
    termsHash: termsHash(sha256, terms),
    requirementsHash: hashOfText('content of requirements.txt'),
    region: 'eu',
    runner: manifest.runner,
    verification: manifest.verification.type,
    redundancy: terms.redundancy,
    units: terms.units,
    storage: 'disk:eu',
  };
  const batches = [0, 1]
    .map((batch) => units.filter((unit) => unit.batch === batch))
    .filter((batch) => batch.length > 0);
  const ending: Call[] = ruling
    ? [['Contract', 'resolveDispute', ruling.outcome, rulingHash(sha256, job, ruling)]]
    : state === 'completed'
      ? [['Contract', 'completeContract']]
      : [];
  return [
    ['Marketplace', 'listContract', JSON.stringify(details)],
    ['Contract', 'activateContract'],
    ...batches.map((batch): Call => {
      const roots = batchRoots(
        sha256,
        batch.map((unit) => ({ verdict: unit.verdict, statements: unit.replicas.map(statementFor) })),
      );
      return ['Contract', 'submitWork', roots.proofHash, roots.resultHash];
    }),
    ['Contract', 'verifyWork'],
    ...ending,
  ];
}

function statementFor(one: SourceReplica): ResultStatement {
  const { unit, replica, worker, machineClass, digest, exitCode, metrics } = one;
  return {
    job,
    unit,
    replica,
    worker,
    machineClass,
    digest,
    exitCode,
    metrics: metrics === null ? null : hashOfText(metrics),
  };
}

/** Puts the calls into blocks of three transactions, with others between, and proves each under the last head. */
function prove(calls: readonly Call[]): InclusionProof[] {
  const blocks: { header: Record<string, CanonicalValue>; hash: Uint8Array<ArrayBuffer>; transactions: string[] }[] =
    [];
  const close = (transactions: string[]): void => {
    const previous = blocks.at(-1);
    const txRoot = merkleRoot(sha256, transactions.map(utf8));
    const header = {
      block: blocks.length,
      previous: previous ? toHex(previous.hash) : '0'.repeat(64),
      txRoot,
      txCount: transactions.length,
      atMs: 7,
    };
    blocks.push({ header, hash: fromHex(hashOf(sha256, 'block', header)), transactions });
  };
  close([]);
  for (const [contract, fn, ...args] of calls) {
    const own = canonicalJson({ contract, fn, args: [job, ...args], code: 0 });
    close([`another before ${fn}`, own, `another after ${fn}`].slice(blocks.length % 2));
  }
  const leaves = blocks.map((block) => block.hash);
  const last = blocks.length - 1;
  const head = {
    block: BigInt(last),
    blockHash: hashOf(sha256, 'block', blocks[last]?.header ?? {}),
    chainRoot: merkleRoot(sha256, leaves),
    atMs: 9,
  };
  const signed = { ...head, publicKey: ledgerSigner.publicKey, signature: ledgerSigner.sign(headMessage(head)) };
  return blocks.slice(1).map(({ header, transactions }, index) => {
    const txIndex = transactions.findIndex((one) => one.startsWith('{'));
    return {
      transaction: transactions[txIndex] ?? '',
      txIndex,
      txCount: transactions.length,
      txPath: merklePath(sha256, transactions.map(utf8), txIndex),
      header: canonicalJson(header),
      chainPath: merklePath(sha256, leaves, index + 1),
      head: signed,
    };
  });
}

function settle(units: readonly SourceUnit[], terms: JobTerms, ruling: Ruling | null): ReceiptSource['money'] {
  const counts = new Map<AccountId, number>();
  for (const unit of units) {
    for (const replica of unit.replicas) {
      if (!unit.verdict.agreeing.includes(replica.replica)) continue;
      const owner = replica.worker.replace('wrk', 'acc') as AccountId;
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
  }
  let cut = ruling?.refund.minor ?? 0n;
  const payees = [...counts].flatMap(([account, replicas]) => {
    const earned = BigInt(replicas) * terms.perReplica.minor;
    const gross = cut >= earned ? 0n : earned - cut;
    cut -= earned - gross;
    const commission = (gross * 8n) / 100n;
    const payee = { account, replicas, gross: usd(gross), commission: usd(commission), net: usd(gross - commission) };
    return gross > 0n ? [payee] : [];
  });
  const paid = payees.reduce((sum, payee) => sum + payee.gross.minor, 0n);
  return { payees, refunded: usd(terms.deposit.minor - paid) };
}

function usd(minor: bigint): Money {
  return money('USD', minor);
}

/** The receipt over a synthetic job. */
export function syntheticReceipt(options: SyntheticOptions) {
  return assembleReceipt(sha256, syntheticJob(options));
}
