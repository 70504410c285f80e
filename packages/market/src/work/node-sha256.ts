/** SHA-256 by node:crypto. */

import { hash } from 'node:crypto';
import type { Sha256 } from '@assay/core';

/** Gives hashes as hex without an array of bytes on the way, which takes a third of the time or less. */
export const nodeSha256: Sha256 = Object.assign((bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer'), {
  hex: (data: string | Uint8Array): string => hash('sha256', data, 'hex'),
});
