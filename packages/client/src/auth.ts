/** Who a client speaks as. */

import type { IdSource, Sha256, WorkerId } from '@assay/core';

/** Nobody, a browser's session cookie, or a program's API key. */
export type Auth =
  | { readonly kind: 'none' }
  | { readonly kind: 'cookie' }
  | { readonly kind: 'apiKey'; readonly key: string };

/** A device and what it needs to sign its requests. */
export interface Device {
  readonly workerId: WorkerId;
  /** The ed25519 signature over the bytes, hex. */
  sign(text: Uint8Array): string | Promise<string>;
  readonly sha256: Sha256;
  readonly ids: IdSource;
  nowMs(): number;
}

/** What `auth` adds to each request. */
export function authHeaders(auth: Auth): Record<string, string> {
  return auth.kind === 'apiKey' ? { authorization: `Bearer ${auth.key}` } : {};
}
