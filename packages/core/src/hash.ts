/** Hashes and the canonical encoding that everything signed or hashed goes through. */

import { assert } from './errors.ts';
import type { Branded } from './branded.ts';

/** 64 lower-case hex digits. */
export type Sha256Hex = Branded<'sha256'>;

/** SHA-256 of bytes; the caller injects node:crypto or, in a browser, a library. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** SHA-256 of nothing: the only hash that a file of no bytes can have. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Sha256Hex;

const hexPattern = /^[0-9a-f]{64}$/;

/** `text` as a hash, or undefined when it is not 64 lower-case hex digits. */
export function parseSha256(text: unknown): Sha256Hex | undefined {
  return typeof text === 'string' && hexPattern.test(text) ? (text as Sha256Hex) : undefined;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const byteOfHex = new Map(hexOfByte.map((hex, byte) => [hex, byte]));

/** Lower-case hex digits, two a byte. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += hexOfByte[byte];
  return out;
}

/** The bytes of an even number of hex digits. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(hex.length / 2));
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = byteOfHex.get(hex.slice(2 * i, 2 * i + 2));
    assert(byte !== undefined, 'lower-case hex digits in pairs');
    bytes[i] = byte;
  }
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
  const keys = Object.keys(value);
  if (!isAscending(keys)) keys.sort();
  else if (isFlat(value, keys)) return JSON.stringify(value);
  let members = '';
  for (const key of keys) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

function isAscending(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i += 1) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return false;
  return true;
}

/** Whether the engine's own writer gives the canonical text of an object with ascending keys. */
function isFlat(value: { readonly [key: string]: CanonicalValue }, keys: readonly string[]): boolean {
  for (const key of keys) {
    const member = value[key];
    if (typeof member !== 'string' && member !== null && !Number.isSafeInteger(member)) return false;
  }
  return true;
}

function isList(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

/** SHA-256 over `assay/<purpose>/1`, a line feed and the canonical JSON of `value`: one domain per purpose. */
export function hashOf(sha256: Sha256, purpose: string, value: CanonicalValue): Sha256Hex {
  return toHex(sha256(utf8(`assay/${purpose}/1\n${canonicalJson(value)}`))) as Sha256Hex;
}
