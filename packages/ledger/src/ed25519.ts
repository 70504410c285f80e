/** Checking ed25519 signatures: libsodium where it is installed, because it takes half of OpenSSL's time. */

import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { limits } from '@assay/core';

/** Whether `signature` (64 bytes) over `message` was made with the key whose public half has these 32 bytes. */
export type CheckEd25519 = (publicKey: Buffer, message: Uint8Array, signature: Uint8Array) => boolean;

interface Sodium {
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** The fastest check that this installation has. */
export function fastestEd25519(): CheckEd25519 {
  try {
    return withSodium(createRequire(import.meta.url)('sodium-native') as Sodium);
  } catch {
    return withOpenssl();
  }
}

export function withSodium(sodium: Sodium): CheckEd25519 {
  return (publicKey, message, signature) => sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

/** DER of a public key of ed25519 up to the key itself (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export function withOpenssl(): CheckEd25519 {
  const keys = new Map<string, KeyObject>();
  return (publicKey, message, signature) => {
    const name = publicKey.toString('latin1');
    let key = keys.get(name);
    if (key === undefined) {
      key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
      if (keys.size >= limits.ledgerCertificates) keys.clear();
      keys.set(name, key);
    }
    return verify(null, message, key, signature);
  };
}
