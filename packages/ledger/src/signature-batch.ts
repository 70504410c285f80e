/** Many signatures as one block of bytes, which a thread takes over without copying it. */

import type { CheckEd25519 } from './ed25519.ts';

/** A signature to check; texts in hex but for the message. */
export interface SignatureCheck {
  /** 32 bytes. */
  readonly publicKey: string;
  readonly message: string;
  /** 64 bytes. */
  readonly signature: string;
}

const keyPattern = /^[0-9a-f]{64}$/;
const signaturePattern = /^[0-9a-f]{128}$/;
const fixedBytes = 4 + 32 + 64;

/** For each check: the message's length (4 bytes), key, signature, message. What is no key or signature has zeros. */
export function packChecks(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const lengths = checks.map(({ message }) => Buffer.byteLength(message));
  const size = lengths.reduce((sum, length) => sum + length + fixedBytes, 0);
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const [index, { publicKey, message, signature }] of checks.entries()) {
    const length = lengths[index] ?? 0;
    bytes.writeUInt32LE(length, at);
    if (keyPattern.test(publicKey) && signaturePattern.test(signature)) {
      bytes.write(publicKey, at + 4, 'hex');
      bytes.write(signature, at + 36, 'hex');
    }
    bytes.write(message, at + fixedBytes);
    at += fixedBytes + length;
  }
  return bytes;
}

/** One byte for each check: 1 where the signature holds. */
export function checkPacked(packed: Uint8Array, check: CheckEd25519): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const verdicts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + fixedBytes + bytes.readUInt32LE(at);
    const signature = bytes.subarray(at + 36, at + fixedBytes);
    const holds = check(bytes.subarray(at + 4, at + 36), bytes.subarray(at + fixedBytes, end), signature);
    verdicts.push(holds ? 1 : 0);
    at = end;
  }
  return Uint8Array.from(verdicts);
}
