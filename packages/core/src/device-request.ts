/** What a device signs for requests other than an exchange. */

import type { Sha256Hex } from './hash.ts';
import type { RequestId, WorkerId } from './ids.ts';

/** The signed part of one request of a device. */
export interface DeviceRequest {
  readonly worker: WorkerId;
  readonly request: RequestId;
  readonly sentAtMs: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Of the body, of nothing where there is none; an upload's is the hash that its path names. */
  readonly bodySha256: Sha256Hex;
}

/** The UTF-8 text that the device signs with ed25519. */
export function deviceRequestText(request: DeviceRequest): string {
  const { worker, sentAtMs, method, target, bodySha256 } = request;
  return `assay/request/1\n${worker}\n${request.request}\n${sentAtMs}\n${method}\n${target}\n${bodySha256}`;
}
