/** Checking ed25519 signatures of devices: libsodium where it is there, because it takes half of OpenSSL's time. */

import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { limits } from '@assay/core';

/** Whether `signature` (hex) over `message` was made by the device with `publicKey` (hex). */
export type VerifySignature = (publicKey: string, message: Uint8Array, signature: string) => boolean;

interface Sodium {
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

const keyPattern = /^[0-9a-f]{64}$/;
const signaturePattern = /^[0-9a-f]{128}$/;

/** The fastest verifier that this installation has. */
export function deviceVerifier(): VerifySignature {
  try {
    return sodiumVerifier(createRequire(import.meta.url)('sodium-native') as Sodium);
  } catch {
    return opensslVerifier();
  }
}

/** A verifier over libsodium. */
export function sodiumVerifier(sodium: Sodium): VerifySignature {
  return (publicKey, message, signature) =>
    keyPattern.test(publicKey) &&
    signaturePattern.test(signature) &&
    sodium.crypto_sign_verify_detached(Buffer.from(signature, 'hex'), message, Buffer.from(publicKey, 'hex'));
}

/** DER of a public key of ed25519 up to the key itself (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** A verifier over node:crypto, which keeps the parsed keys of recent devices. */
export function opensslVerifier(): VerifySignature {
  const keys = new Map<string, KeyObject>();
  return (publicKey, message, signature) => {
    if (!keyPattern.test(publicKey) || !signaturePattern.test(signature)) return false;
    let key = keys.get(publicKey);
    if (key === undefined) {
      const der = Buffer.concat([spkiPrefix, Buffer.from(publicKey, 'hex')]);
      key = createPublicKey({ key: der, format: 'der', type: 'spki' });
      if (keys.size >= limits.cacheRows) keys.clear();
      keys.set(publicKey, key);
    }
    return verify(null, message, key, Buffer.from(signature, 'hex'));
  };
}
