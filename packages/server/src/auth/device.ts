/** Requests of devices other than exchanges: each is signed by the device's key and good once. */

import {
  deviceRequestText,
  limits,
  parseId,
  parseSha256,
  refuse,
  toHex,
  utf8,
  type Clock,
  type RequestId,
  type Sha256,
  type Sha256Hex,
  type WorkerId,
} from '@assay/core';
import type { KnownWorker, VerifySignature, WorkerDirectory } from '@assay/market';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { rowOf } from '../http/request.ts';

export interface DeviceDeps {
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
  readonly workers: WorkerDirectory;
}

/** The headers of a signed request as they came. */
export function signedHeaders(request: FastifyRequest) {
  const one = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    worker: one('assay-worker'),
    request: one('assay-request'),
    sentAt: one('assay-sent-at'),
    root: one('assay-root'),
    signature: one('assay-signature'),
    ip: request.ip,
  };
}

/** Checks the signature of every device route that does not check its raw body by itself. */
export function admitDevices(app: FastifyInstance, deps: DeviceDeps): void {
  const seen = seenRequests(deps.clock);
  app.addHook('preHandler', async (request) => {
    const row = rowOf(request);
    if (row?.access !== 'device' || row.rawBody) return;
    const { id } = await checkDevice(deps, request, seen);
    request.device = id;
  });
}

/**
 * The device that signed the request; refuses `request.malformed`, `request.stale`, `worker.not_found`,
 * `auth.bad_signature` and `worker.banned`.
 */
async function checkDevice(
  deps: DeviceDeps,
  request: FastifyRequest,
  seen: SeenRequests,
): Promise<{ id: WorkerId; known: KnownWorker }> {
  const headers = signedHeaders(request);
  const id: WorkerId | undefined = parseId('worker', headers.worker);
  const requestId: RequestId | undefined = parseId('request', headers.request);
  const sentAtMs = /^\d{1,15}$/.test(headers.sentAt ?? '') ? Number(headers.sentAt) : undefined;
  if (id === undefined || requestId === undefined || sentAtMs === undefined || headers.signature === undefined) {
    throw refuse('request.malformed', 'a header of the signed request is missing or malformed', {
      headers: ['assay-worker', 'assay-request', 'assay-sent-at', 'assay-signature'],
    });
  }
  if (Math.abs(deps.clock.nowMs() - sentAtMs) > limits.requestSkewMs) {
    throw refuse('request.stale', 'the request is too old or from the future', { sentAtMs });
  }
  const known = await deps.workers.find(id, request.ip);
  const { method, url: target } = request;
  const bodySha256 = bodyHash(deps.sha256, request);
  const text = deviceRequestText({ worker: id, request: requestId, sentAtMs, method, target, bodySha256 });
  if (!deps.verifySignature(known.publicKey, utf8(text), headers.signature)) {
    throw refuse('auth.bad_signature', 'the signature does not match the request');
  }
  if (known.profile.banned) throw refuse('worker.banned', 'this worker is banned', { worker: id });
  if (!seen.add(`${id} ${requestId}`)) throw refuse('request.stale', 'this request was received before', {});
  return { id, known };
}

/** An upload is hashed while it is stored, so its path says what it will be. */
function bodyHash(sha256: Sha256, request: FastifyRequest): Sha256Hex {
  if (request.method === 'PUT') {
    const { sha256: named } = request.params as { sha256?: unknown };
    const hash = parseSha256(named);
    if (hash === undefined) throw refuse('request.malformed', 'the path names no SHA-256', {});
    return hash;
  }
  return toHex(sha256(request.rawBody ?? new Uint8Array(0))) as Sha256Hex;
}

interface SeenRequests {
  /** False when the key was there already. */
  add(key: string): boolean;
}

/** Requests seen within the time in which they would not be stale, in two generations. */
function seenRequests(clock: Clock): SeenRequests {
  let recent = new Set<string>();
  let older = new Set<string>();
  let turnedAtMs = clock.nowMs();
  return {
    add(key) {
      // Twice the skew: a request may come from a clock that is ahead by one.
      if (clock.nowMs() - turnedAtMs > 2 * limits.requestSkewMs || recent.size > limits.requestsSeen) {
        older = recent;
        recent = new Set();
        turnedAtMs = clock.nowMs();
      }
      if (recent.has(key) || older.has(key)) return false;
      recent.add(key);
      return true;
    },
  };
}
