/** ECDSA over P-256 as Fabric wants it: DER, with the lower of the two possible values of S. */

import { sign, type KeyObject } from 'node:crypto';
import { integer, sequence } from '../der.ts';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const half = order >> 1n;

/**
 * Signs `message` with SHA-256. OpenSSL does the work: it is forty times as fast as P-256 in JavaScript, and its own
 * encoding is twice as fast as asking for the two numbers, so S is looked up inside it.
 */
export function signLowS(message: Uint8Array, key: KeyObject): Buffer {
  const signature = sign('sha256', message, key);
  // 30 length 02 length R 02 length S: of two numbers of 32 bytes, every length is one byte.
  const rEnd = 4 + (signature[3] ?? 0);
  const s = signature.subarray(rEnd + 2);
  const value = BigInt(`0x${s.toString('hex')}`);
  if (value <= half) return signature;
  return sequence(
    signature.subarray(2, rEnd),
    integer(Buffer.from((order - value).toString(16).padStart(64, '0'), 'hex')),
  );
}
