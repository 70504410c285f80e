/** From headers and raw bytes to a request that its device has signed. */

import {
  envelopeText,
  limits,
  parseId,
  parseSha256,
  refuse,
  sha256Hex,
  utf8,
  type Envelope,
  type RequestId,
  type Sha256,
  type WorkerId,
} from '@assay/core';
import type { VerifySignature } from './device-signature.ts';
import { readExchangeBody, type ExchangeBody } from './exchange-body.ts';
import type { KnownWorker, WorkerDirectory } from './worker-directory.ts';

/** The headers of a signed request as they came, and the address that it came from. */
export interface SignedHeaders {
  readonly worker: string | undefined;
  readonly request: string | undefined;
  readonly sentAt: string | undefined;
  readonly root: string | undefined;
  readonly signature: string | undefined;
  /** The network address of the device. */
  readonly ip: string;
}

/** A request whose signature holds; whether its root covers its statements is checked once its replicas are loaded. */
export interface SignedRequest {
  readonly envelope: Envelope;
  readonly signature: string;
  readonly worker: KnownWorker;
  readonly body: ExchangeBody;
}

export interface CheckDeps {
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
  readonly workers: WorkerDirectory;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/**
 * Checks one request. Refuses `request.malformed`, `request.stale`, `request.too_large`, `worker.not_found`,
 * `worker.banned` or `auth.bad_signature`.
 */
export async function checkRequest(deps: CheckDeps, headers: SignedHeaders, raw: Uint8Array): Promise<SignedRequest> {
  if (raw.byteLength > limits.exchangeBodyBytes) throw refuse('request.too_large', 'the body is too large');
  const stated = readHeaders(headers);
  if (Math.abs(deps.nowMs() - stated.sentAtMs) > limits.requestSkewMs) {
    throw refuse('request.stale', 'the request is too old or from the future', { sentAtMs: stated.sentAtMs });
  }
  const worker = await deps.workers.find(stated.worker, headers.ip);
  const envelope: Envelope = { ...stated, bodySha256: sha256Hex(deps.sha256, raw) };
  const { signature } = headers;
  if (signature === undefined || !deps.verifySignature(worker.publicKey, utf8(envelopeText(envelope)), signature)) {
    throw refuse('auth.bad_signature', 'the signature does not match the request');
  }
  if (worker.profile.banned) throw refuse('worker.banned', 'this worker is banned', { worker: stated.worker });
  return { envelope, signature, worker, body: readExchangeBody(raw) };
}

function readHeaders(headers: SignedHeaders): Omit<Envelope, 'bodySha256'> {
  const worker: WorkerId | undefined = parseId('worker', headers.worker);
  const request: RequestId | undefined = parseId('request', headers.request);
  const statementsRoot = parseSha256(headers.root);
  const sentAtMs = /^\d{1,15}$/.test(headers.sentAt ?? '') ? Number(headers.sentAt) : undefined;
  if (worker === undefined || request === undefined || statementsRoot === undefined || sentAtMs === undefined) {
    throw refuse('request.malformed', 'a header of the signed request is missing or malformed', {
      headers: ['assay-worker', 'assay-request', 'assay-sent-at', 'assay-root', 'assay-signature'],
    });
  }
  return { worker, request, sentAtMs, statementsRoot };
}
