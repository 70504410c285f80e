/** Who gets in: the hooks before a body is read. */

import { limits, refuse, type Clock } from '@assay/core';
import type { Tx } from '@assay/store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authenticate, sessionCookie } from '../auth/authenticate.ts';
import { checkAccess } from '../auth/caller.ts';
import { tokenBuckets, type Allowance } from '../auth/token-bucket.ts';
import { callerOf, type Peer, type PeerBook } from '../gateway/peers.ts';
import type { Route } from '../api/routes/route.ts';
import { checkOrigin } from './origin-check.ts';
import { rowOf } from './request.ts';

export interface AdmissionDeps {
  readonly db: Tx;
  readonly clock: Clock;
  readonly publicOrigin: string;
  /** Requests of one account or network address; devices have their own. */
  readonly allowance: Allowance;
  readonly deviceAllowance: Allowance;
  readonly peers: PeerBook;
}

/** Adds the checks of rate, origin, identity, role and idempotency key. */
export function admitRequests(app: FastifyInstance, deps: AdmissionDeps): void {
  const people = tokenBuckets(deps.clock, deps.allowance, limits.rateKeys);
  const devices = tokenBuckets(deps.clock, deps.deviceAllowance, limits.rateKeys);
  const manyDevices = {
    burst: deps.deviceAllowance.burst * limits.devicesPerAddress,
    perMinute: deps.deviceAllowance.perMinute * limits.devicesPerAddress,
  };
  const addresses = tokenBuckets(deps.clock, manyDevices, limits.rateKeys);
  const charge = (buckets: typeof people, key: string): void => {
    const taken = buckets.take(key);
    if (!taken.ok) throw refuse('request.rate_limited', 'too many requests; wait', { waitMs: taken.waitMs });
  };
  app.decorateRequest('caller', undefined);
  app.decorateRequest('readmit', undefined);
  app.decorateRequest('device', undefined);
  app.decorateRequest('rawBody', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const row = rowOf(request);
    const peer = deps.peers.of(request.raw.socket);
    if (peer) {
      if (peer.era !== deps.peers.era()) reply.header('connection', 'close');
      return admitPeer(deps, request, peer, charge.bind(undefined, people));
    }
    if (!row || row.access === 'probe') return;
    if (row.access === 'device') {
      // Nobody has proved yet to be the device that the header names, so that the address pays too.
      charge(addresses, request.ip);
      charge(devices, workerHeader(request));
      return;
    }
    const { method, headers, ip } = request;
    if (row.access !== 'webhook') checkOrigin({ method, headers, publicOrigin: deps.publicOrigin });
    if (row.access === 'public' || row.access === 'webhook') {
      charge(people, ip);
      return;
    }
    const { authorization } = headers;
    const cookie = request.cookies[sessionCookie];
    if (authorization === undefined && cookie === undefined) charge(people, ip);
    request.caller = await authenticate(deps.db, { authorization, cookie }).catch((error: unknown) => {
      charge(people, ip);
      throw error;
    });
    charge(people, request.caller?.account ?? ip);
    const { access } = row;
    checkAccess(access, request.caller);
    request.readmit = async () => checkAccess(access, await authenticate(deps.db, { authorization, cookie }));
    if (row.idempotent === 'key') checkKey(request);
  });
}

/** What the gateway shows: the ledger, and what supervisors look at. */
function isAtGateway(row: Route): boolean {
  return row.tag === 'ledger' || row.access === 'probe';
}

/** A request at the gateway: who asks is known by the certificate alone, whatever else the request says. */
async function admitPeer(
  deps: AdmissionDeps,
  request: FastifyRequest,
  peer: Peer,
  charge: (key: string) => void,
): Promise<void> {
  const row = rowOf(request);
  if (!row || !isAtGateway(row)) {
    throw refuse('request.unknown_path', 'the gateway has no such path', { path: request.url });
  }
  const { method, headers, ip } = request;
  checkOrigin({ method, headers, publicOrigin: deps.publicOrigin });
  request.caller = await callerOf(deps, peer).catch((error: unknown) => {
    charge(ip);
    throw error;
  });
  charge(request.caller.account);
  const { access } = row;
  if (typeof access === 'object') {
    checkAccess(access, request.caller);
    request.readmit = async () => checkAccess(access, await callerOf(deps, peer));
  }
  if (row.idempotent === 'key') checkKey(request);
}

function workerHeader(request: FastifyRequest): string {
  const worker = request.headers['assay-worker'];
  return typeof worker === 'string' && worker.length <= 64 ? `${request.ip} ${worker}` : request.ip;
}

/** The key of an unsafe call; refuses `idempotency.key_missing`. */
export function checkKey(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  const { idempotencyKeyMinChars: min, idempotencyKeyMaxChars: max } = limits;
  if (typeof key !== 'string' || key.length < min || key.length > max || !/^[\x21-\x7e]+$/.test(key)) {
    throw refuse('idempotency.key_missing', `send an Idempotency-Key of ${min} to ${max} printable characters`, {});
  }
  return key;
}
