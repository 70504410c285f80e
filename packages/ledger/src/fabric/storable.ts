/**
 * Makes what members of a network put into blocks fit for the ledger's tables. Blocks hold whatever a member sent, counted
 * or not, and a block that cannot be stored would stop the mirror for good: PostgreSQL's text holds no zero byte, its
 * indexes no long key, and canonical JSON no number beyond those that are exact.
 */

import { limits } from '@assay/core';
import { platformMsp } from '@assay/contracts';
import { sha256Hex } from '../block.ts';
import { pemOf } from '../der.ts';

/** The text, or its hash where a column could not hold it or an index not find it. */
export function storableText(text: string): string {
  const fits = text.length <= limits.ledgerKeyChars && !text.includes('\0') && text.isWellFormed();
  return fits ? text : sha256Hex(text);
}

/** The nearest whole number from 0 to `max`. */
export function storableNumber(value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, 0), max));
}

/** How the names that this file makes look. */
const made = /^(?:[^/]*\/)?[0-9a-f]{64}$/;

/**
 * How the ledger's tables name the idempotency key of an organisation's member. Each organisation has its own, so that
 * none can use up another's; the platform's stay as they are unless they could be taken for another's.
 */
export function scopedKey(mspId: string, key: string): string {
  const isPlain = mspId === platformMsp && storableText(key) === key && !made.test(key);
  return isPlain ? key : `${storableText(mspId)}/${sha256Hex(key)}`;
}

/**
 * The certificate that `identity` begins with, written in the one way that PEM is written here; null where there is none
 * that everybody reads alike. What stands after it signs nothing, so it is no part of who signed.
 */
export function certificateIn(identity: string): string | null {
  const begin = identity.indexOf('-----BEGIN');
  if (begin > 0 && identity[begin - 1] !== '\n') return null;
  const body = pem.exec(identity.slice(Math.max(begin, 0), Math.max(begin, 0) + limits.ledgerCertificateChars))?.[1];
  if (body === undefined) return null;
  const der = Buffer.from(body, 'base64');
  return der.toString('base64') === body.replaceAll(/\s/g, '') ? pemOf('CERTIFICATE', der) : null;
}

const pem = /^-----BEGIN CERTIFICATE-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END CERTIFICATE-----/;
