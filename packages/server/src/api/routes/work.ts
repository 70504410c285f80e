/** What devices call, each request signed by the device's key. */

import { Type } from 'typebox';
import {
  Available,
  ExchangeRequest,
  ExchangeResponse,
  LogReply,
  LogRequest,
  StoredObject,
} from '../schemas/exchange.ts';
import { ref } from '../schemas/named.ts';
import { id, sha256 } from '../schemas/scalars.ts';
import { route } from './route.ts';

const objectParams = Type.Object({ sha256 });
const objectQuery = Type.Object({ replica: id('replica') });

/** The worker protocol. */
export const workRoutes = {
  exchange: route({
    method: 'POST',
    path: '/work/exchange',
    tag: 'work',
    summary: 'Commit, reveal, report failures, renew leases and claim, in one signed request; waits up to waitMs.',
    access: 'device',
    idempotent: 'nature',
    rawBody: true,
    body: ref(ExchangeRequest),
    status: 200,
    reply: ref(ExchangeResponse),
    refuses: ['auth.bad_signature', 'request.stale', 'worker.banned'],
  }),
  available: route({
    method: 'GET',
    path: '/work/available',
    tag: 'work',
    summary: 'What this worker may take now; waits up to waitMs until there is something.',
    access: 'device',
    query: Type.Object({ waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 25_000 })) }),
    status: 200,
    reply: ref(Available),
    refuses: ['auth.bad_signature', 'request.stale', 'worker.banned'],
  }),
  sendLogs: route({
    method: 'POST',
    path: '/work/logs',
    tag: 'work',
    summary: 'Log lines of running replicas; lines above the limit are dropped.',
    access: 'device',
    idempotent: 'nature',
    anyText: true,
    body: ref(LogRequest),
    status: 200,
    reply: ref(LogReply),
    refuses: ['auth.bad_signature', 'request.stale', 'worker.banned'],
  }),
  putObject: route({
    method: 'PUT',
    path: '/work/objects/:sha256',
    tag: 'work',
    summary: 'Upload an output of a replica that this worker holds.',
    access: 'device',
    idempotent: 'nature',
    upload: 'application/octet-stream',
    params: objectParams,
    query: objectQuery,
    status: 201,
    reply: ref(StoredObject),
    refuses: ['auth.bad_signature', 'request.stale', 'replica.not_found', 'object.hash_mismatch', 'object.too_large'],
  }),
  getObject: route({
    method: 'GET',
    path: '/work/objects/:sha256',
    tag: 'work',
    summary: 'Download an input of a replica that this worker holds.',
    access: 'device',
    params: objectParams,
    query: objectQuery,
    status: 200,
    media: 'application/octet-stream',
    refuses: ['auth.bad_signature', 'request.stale', 'replica.not_found', 'object.not_found'],
  }),
};
