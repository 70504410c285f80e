/** Checks single ledger proofs and block headers offline: that a transaction, or a header, is part of a signed chain. */

import {
  hashOf,
  integerShape,
  isoTime,
  limits,
  listShape,
  oneOfShape,
  proofFormat,
  recordShape,
  Refusal,
  textShape,
  type CanonicalValue,
  type ErrorCode,
  type ReceiptHead,
  type Sha256Hex,
  type Shape,
  type ShapeFault,
  type ShapeOf,
} from '@assay/core';
import { holdIncluded, holdSigned, objectIn } from './ledger-inclusion.ts';
import { hold } from './receipt-context.ts';
import { portableCrypto } from './receipt-crypto.ts';
import type { ReceiptTrust } from './verify-receipt.ts';

/** The parts of a proof in the order in which they are checked; the first that does not hold is named. */
export const proofParts = ['shape', 'inclusion', 'ledger signature'] as const;
export type ProofPart = (typeof proofParts)[number];

/** What a valid proof proves. */
export interface ProofSummary {
  readonly txId: string;
  /** `Contract.verifyWork`. */
  readonly call: string;
  /** 0: the transaction counts; anything else: it is in the chain without effect. */
  readonly code: number;
  readonly block: number;
  readonly txIndex: number;
  /** The head that was signed covers the chain up to this block. */
  readonly headBlock: number;
  readonly ledgerKey: string;
  readonly ledgerKeyTrusted: boolean;
}

export type ProofVerdict =
  | { readonly ok: true; readonly summary: ProofSummary }
  | { readonly ok: false; readonly part: ProofPart; readonly code: ErrorCode; readonly message: string };

const hash = textShape({
  pattern: '^[0-9a-f]{64}$',
  rule: '64 hex digits',
  max: 64,
}) as unknown as Shape<Sha256Hex>;
const signature = textShape({ pattern: '^[0-9a-f]{128}$', rule: '128 hex digits', max: 128 });
const count = integerShape(0, Number.MAX_SAFE_INTEGER);
const text = textShape({ pattern: '^[^\\ud800-\\udfff]*$', rule: 'well-formed text', max: limits.proofBytes });

const wireHead = recordShape({
  block: textShape({ pattern: '^(?:0|[1-9][0-9]{0,14})$', rule: 'a block number in decimal digits', max: 15 }),
  blockHash: hash,
  chainRoot: hash,
  at: textShape({ pattern: '^[0-9TZ:.+-]{20,30}$', rule: 'an instant', max: 30 }),
  atMs: integerShape(0, limits.ledgerTimeMs),
  publicKey: hash,
  signature,
});
type WireHead = ShapeOf<typeof wireHead>;

const proofShape = recordShape({
  format: oneOfShape([proofFormat]),
  transaction: text,
  txIndex: count,
  txCount: count,
  txPath: listShape(hash, 64),
  header: text,
  chainPath: listShape(hash, 64),
  head: wireHead,
});

/** Whether a text is meant to be a ledger proof rather than a receipt. */
export function isProofText(given: string): boolean {
  return given.length <= limits.proofBytes && /^\s*\{\s*"format"\s*:\s*"assay\/proof\//.test(given);
}

/** Checks the JSON of `GET /ledger/proofs/{txId}`; never throws for what the text says. */
export function verifyProof(given: unknown, trust: ReceiptTrust = {}): ProofVerdict {
  const crypto = trust.crypto ?? portableCrypto;
  let part: ProofPart = 'shape';
  try {
    const proof = readShape(proofShape, given);
    const head = headOf(proof.head);
    part = 'inclusion';
    const { block, txCount } = holdIncluded(crypto.sha256, proof, head);
    hold(proof.txCount === txCount, 'the proof names another number of transactions than the header');
    const summary = summaryOf(proof.transaction, { block, txIndex: proof.txIndex, headBlock: head.block });
    part = 'ledger signature';
    holdTrusted(head, trust);
    holdSigned(crypto, head);
    const ledgerKeyTrusted = trust.ledgerKeys !== undefined;
    return { ok: true, summary: { ...summary, ledgerKey: head.publicKey, ledgerKeyTrusted } };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, part, code: error.code, message: error.message };
    throw error;
  }
}

export type BlockVerdict =
  | { readonly ok: true; readonly ledgerKey: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Checks that a block's header hashes to what its signed head names, and that the head is signed. */
export function verifyBlock(block: { header: unknown; head: unknown }, trust: ReceiptTrust = {}): BlockVerdict {
  const { sha256, verifyEd25519 } = trust.crypto ?? portableCrypto;
  try {
    const head = headOf(readShape(wireHead, JSON.stringify(block.head)));
    const header = objectIn(typeof block.header === 'string' ? block.header : '');
    hold(header['block'] === head.block && header['atMs'] === head.atMs, 'the head is that of another block');
    const found = hashOf(sha256, 'block', header as CanonicalValue & object);
    hold(found === head.blockHash, 'the header does not hash to what the head names');
    holdTrusted(head, trust);
    holdSigned({ sha256, verifyEd25519 }, head);
    return { ok: true, ledgerKey: head.publicKey };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, message: error.message };
    throw error;
  }
}

function holdTrusted({ publicKey }: ReceiptHead, { ledgerKeys }: ReceiptTrust): void {
  hold(ledgerKeys === undefined || ledgerKeys.includes(publicKey), `${publicKey} is not a trusted ledger key`);
}

function summaryOf(transaction: string, place: Pick<ProofSummary, 'block' | 'txIndex' | 'headBlock'>) {
  const { txId, contract, fn, code } = objectIn(transaction);
  const isCall = typeof txId === 'string' && typeof contract === 'string' && typeof fn === 'string';
  hold(isCall && typeof code === 'number', 'the transaction is no call');
  return { txId, call: `${contract}.${fn}`, code, ...place };
}

function headOf({ at, ...head }: WireHead): ReceiptHead {
  hold(isoTime(head.atMs) === at, 'the head names two times');
  return { ...head, block: Number(head.block) };
}

function readShape<T>(shape: Shape<T>, given: unknown): T {
  if (typeof given !== 'string') throw malformed('a proof is a text');
  if (given.length > limits.proofBytes) throw malformed(`a proof has at most ${limits.proofBytes} characters`);
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw malformed('the text is no JSON');
  }
  const faults: ShapeFault[] = [];
  const read = shape.read(value, '', (fault) => faults.push(fault));
  const [first] = faults;
  if (first !== undefined || read === undefined) {
    throw malformed(`${first?.path || 'the proof'} ${first?.message ?? 'is not read'}`);
  }
  return read;
}

function malformed(message: string): Refusal {
  return new Refusal('receipt.malformed', message);
}
