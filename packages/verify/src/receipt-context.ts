/** What the checks of a receipt share. */

import { refuse, type Manifest, type Receipt, type Refusal } from '@assay/core';
import type { ReceiptCrypto } from './receipt-crypto.ts';

export interface ReceiptContext {
  readonly receipt: Receipt;
  /** The manifest that the receipt holds, parsed again by the rules of the core. */
  readonly manifest: Manifest;
  readonly crypto: ReceiptCrypto;
  /** ed25519 public keys of ledgers, hex, that the reader trusts; undefined where any key will do. */
  readonly ledgerKeys: readonly string[] | undefined;
}

/** One part of a receipt does not hold. */
export function invalid(message: string): Refusal {
  return refuse('receipt.invalid', message, {});
}

/** Throws `receipt.invalid` with the message unless the condition holds. */
export function hold(condition: boolean, message: string): asserts condition {
  if (!condition) throw invalid(message);
}
