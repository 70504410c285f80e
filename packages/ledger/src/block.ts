/** How transactions and blocks are written, hashed and signed. The port in the core says it for everyone. */

import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import {
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  merkleRoot,
  parseSha256,
  utf8,
  assert,
  type BlockHeader,
  type CanonicalValue,
  type Sha256Hex,
  type SignedHead,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import type { LedgerKey, Member } from './keys.ts';

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

export function sha256Hex(text: string): Sha256Hex {
  return createHash('sha256').update(text).digest('hex') as Sha256Hex;
}

/** `text` as a hash; the caller knows that it is one. */
export function asHash(text: string): Sha256Hex {
  const hash = parseSha256(text);
  assert(hash !== undefined, 'a stored hash is a hash');
  return hash;
}

/** What stands before block 0. */
export const noBlock = '0'.repeat(64);

/** The nonce of the `attempt`-th transaction under an idempotency key: it cannot happen twice. */
export function nonceOf(submission: Pick<Submission, 'idempotencyKey'>, attempt: number): string {
  return sha256Hex(`assay/nonce/1\n${attempt}\n${submission.idempotencyKey}`);
}

export function txIdOf(nonce: string, creator: Pick<Member, 'mspId' | 'fingerprint'>): Sha256Hex {
  return sha256Hex(`${nonce}\0${creator.mspId}\0${creator.fingerprint}\0`);
}

export function transactionText(record: TransactionRecord): string {
  return canonicalJson(record as unknown as CanonicalValue);
}

export function txRootOf(transactions: readonly string[]): Sha256Hex {
  return merkleRoot(sha256, transactions.map(utf8));
}

export function headerText(header: BlockHeader): string {
  return canonicalJson(header as unknown as CanonicalValue);
}

/** The hash of a block by its header; `hashOf` over the parsed header gives the same. */
export function blockHashOf(header: BlockHeader): Sha256Hex {
  return hashOf(sha256, 'block', header as unknown as CanonicalValue);
}

export function signHead(key: LedgerKey, head: Omit<SignedHead, 'publicKey' | 'signature'>): SignedHead {
  const signature = sign(null, utf8(headMessage(head)), key.privateKey).toString('hex');
  return { ...head, publicKey: key.publicKey, signature };
}

/** Whether the head's signature is by the key that it names. */
export function isSigned(head: SignedHead): boolean {
  if (!/^[0-9a-f]{128}$/.test(head.signature) || parseSha256(head.publicKey) === undefined) return false;
  return verify(null, utf8(headMessage(head)), publicKeyOf(head.publicKey), fromHex(head.signature));
}

function publicKeyOf(hex: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), fromHex(hex)]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}
