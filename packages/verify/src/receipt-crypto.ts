/** The two primitives that a receipt needs, in plain JavaScript so that browsers run them as well. */

import { hashes, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Sha256 } from '@assay/core';

export interface ReceiptCrypto {
  readonly sha256: Sha256;
  /** Whether `signature` over `message` is by `publicKey` (RFC 8032, strict); all raw bytes. */
  verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** What `verifyReceipt` uses unless a faster one is injected. */
export const portableCrypto: ReceiptCrypto = {
  sha256: (bytes) => sha256(bytes),
  verifyEd25519(signature, message, publicKey) {
    hashes.sha512 = sha512;
    try {
      return verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false; // not a point on the curve
    }
  },
};
