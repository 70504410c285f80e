/** Hashes and the canonical encoding that everything signed or hashed goes through. */

import { assert } from './errors.ts';
import type { Branded } from './ids.ts';

/** 64 lower-case hex digits. */
export type Sha256Hex = Branded<'sha256'>;

/** SHA-256 of bytes; the caller injects node:crypto or, in a browser, a library. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

const hexPattern = /^[0-9a-f]{64}$/;

/** `text` as a hash, or undefined when it is not 64 lower-case hex digits. */
export function parseSha256(text: unknown): Sha256Hex | undefined {
  return typeof text === 'string' && hexPattern.test(text) ? (text as Sha256Hex) : undefined;
}

export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

/** The bytes of an even number of hex digits. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  assert(/^(?:[0-9a-f]{2})*$/.test(hex), 'hex digits in pairs');
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** What canonical JSON can carry: no floats, so that every runtime writes the same bytes. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/**
 * JSON without white space, object keys in UTF-16 code unit order (RFC 8785) and whole safe numbers only; fractions
 * travel as strings. An `undefined` property is left out.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'number') {
    assert(Number.isSafeInteger(value), 'canonical JSON carries whole numbers');
    return String(value);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).toSorted()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function isList(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

/** SHA-256 over `assay/<purpose>/1`, a line feed and the canonical JSON of `value`: one domain per purpose. */
export function hashOf(sha256: Sha256, purpose: string, value: CanonicalValue): Sha256Hex {
  return toHex(sha256(utf8(`assay/${purpose}/1\n${canonicalJson(value)}`))) as Sha256Hex;
}
