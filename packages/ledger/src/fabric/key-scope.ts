/** Idempotency keys on a network of several organisations: each has its own, so that none can use up another's. */

import { platformMsp } from '@assay/contracts';
import { sha256Hex } from '../block.ts';

/** How the ledger's tables name the key of an organisation's member; the platform's own stay as they are. */
export function scopedKey(mspId: string, key: string): string {
  return mspId === platformMsp ? key : `${mspId}/${sha256Hex(key)}`;
}
