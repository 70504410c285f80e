/** Hashes and the canonical encoding that everything signed or hashed goes through. */

import { assert } from './errors.ts';
import type { Branded } from './branded.ts';

/** 64 lower-case hex digits. */
export type Sha256Hex = Branded<'sha256'>;

/** SHA-256 of bytes; the caller injects node:crypto or, in a browser, a library. */
export interface Sha256 {
  (bytes: Uint8Array): Uint8Array;
  /** The same as hex, and of text as of its UTF-8, where the platform has a way that needs no arrays of bytes. */
  readonly hex?: (data: string | Uint8Array) => string;
}

/** SHA-256 of nothing: the only hash that a file of no bytes can have. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Sha256Hex;

const hexPattern = /^[0-9a-f]{64}$/;

/** `text` as a hash, or undefined when it is not 64 lower-case hex digits. */
export function parseSha256(text: unknown): Sha256Hex | undefined {
  return typeof text === 'string' && hexPattern.test(text) ? (text as Sha256Hex) : undefined;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** The value of each lower-case hex digit by its character code; 255 where it is none. */
const valueOfDigit = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value += 1) valueOfDigit[value.toString(16).charCodeAt(0)] = value;

/** Lower-case hex digits, two a byte. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += hexOfByte[byte];
  return out;
}

/** The bytes of an even number of hex digits. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(hex.length / 2));
  writeHex(bytes, 0, hex);
  return bytes;
}

/** Writes the bytes of an even number of hex digits into `bytes` from `start`. */
export function writeHex(bytes: Uint8Array, start: number, hex: string): void {
  for (let at = 0; at < hex.length; at += 2) {
    const high = valueOfDigit[hex.charCodeAt(at)] ?? 255;
    const low = valueOfDigit[hex.charCodeAt(at + 1)] ?? 255;
    assert((high | low) < 16, 'lower-case hex digits in pairs');
    bytes[start + at / 2] = (high << 4) | low;
  }
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

/** SHA-256 of bytes or of the UTF-8 of text. */
export function sha256Hex(sha256: Sha256, data: string | Uint8Array): Sha256Hex {
  if (sha256.hex) return sha256.hex(data) as Sha256Hex;
  return toHex(sha256(typeof data === 'string' ? utf8(data) : data)) as Sha256Hex;
}

/** SHA-256 over `assay/<purpose>/1`, a line feed and the canonical JSON of `value`: one domain per purpose. */
export function hashOf(sha256: Sha256, purpose: string, value: CanonicalValue): Sha256Hex {
  return sha256Hex(sha256, `assay/${purpose}/1\n${canonicalJson(value)}`);
}
