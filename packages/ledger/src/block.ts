/** How transactions and blocks are written, hashed and signed. The port in the core says it for everyone. */

import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import {
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  merkleRootOfHex,
  parseSha256,
  utf8,
  assert,
  type BlockHeader,
  type CanonicalValue,
  type Sha256,
  type Sha256Hex,
  type SignedHead,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import type { LedgerKey, Member } from './keys.ts';

export const sha256: Sha256 = Object.assign((bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer'), {
  hex: (data: string | Uint8Array): string => hash('sha256', data),
});

export function sha256Hex(text: string): Sha256Hex {
  return hash('sha256', text) as Sha256Hex;
}

/** `text` as a hash; the caller knows that it is one. */
export function asHash(text: string): Sha256Hex {
  const stored = parseSha256(text);
  assert(stored !== undefined, 'a stored hash is a hash');
  return stored;
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

/**
 * The canonical JSON of a transaction. Its members are known, so they are written in their order; of lists of texts and
 * numbers the platform's own JSON is canonical.
 */
export function transactionText(record: TransactionRecord): string {
  const { args, creator, event, leaves, ranges, reads, signature, writes } = record;
  const signed = signature === undefined ? '' : `,"signature":${JSON.stringify(signature)}`;
  const batched =
    leaves === undefined ? '' : `,"leaves":{"count":${leaves.count},"root":${JSON.stringify(leaves.root)}}`;
  const { certificate, mspId } = creator;
  const made = event === null ? 'null' : JSON.stringify({ name: event.name, payload: event.payload });
  return (
    `{"args":${JSON.stringify(args)},"atMs":${record.atMs},"code":${record.code}` +
    `,"contract":${JSON.stringify(record.contract)},"creator":${JSON.stringify({ certificate, mspId })}` +
    `,"event":${made},"fn":${JSON.stringify(record.fn)},"key":${JSON.stringify(record.key)}` +
    `${batched},"nonce":${JSON.stringify(record.nonce)},"ranges":${ranges.length === 0 ? '[]' : canonicalJson(ranges)}` +
    `,"reads":${JSON.stringify(reads)},"result":${JSON.stringify(record.result)}${signed}` +
    `,"txId":${JSON.stringify(record.txId)},"writes":${JSON.stringify(writes)}}`
  );
}

export function txRootOf(transactions: readonly string[]): Sha256Hex {
  return merkleRootOfHex(
    sha256,
    transactions.map((text) => sha256Hex(`\0${text}`)),
  );
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
