/** Puts every row of the route table and its handler into Fastify. */

import { createHash } from 'node:crypto';
import { assert, limits, refuse, type RequestId } from '@assay/core';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Database } from '@assay/store';
import { runOnce, type KeyedCall } from '../once.ts';
import { checkKey } from '../http/admission.ts';
import { acceptMultipart, keepRawBodies, passBodiesThrough } from '../http/raw-body.ts';
import { describeRoute } from './describe.ts';
import type { Call, Handlers } from './handlers.ts';
import type { Route } from './routes/route.ts';
import { routes, type OperationId } from './routes/table.ts';

export interface RegisterDeps {
  readonly handlers: Handlers;
  readonly db: Database;
}

type AnyHandler = (input: object, call: object) => Promise<unknown>;

/** Registers all routes; those with raw bodies in scopes of their own. */
export async function registerRoutes(app: FastifyInstance, deps: RegisterDeps): Promise<void> {
  const raw: RouteOptions[] = [];
  const streamed: RouteOptions[] = [];
  const forms: RouteOptions[] = [];
  for (const [operationId, row] of Object.entries<Route>(routes)) {
    const options = routeOptions(operationId as OperationId, row, deps);
    if (row.rawBody) raw.push(options);
    else if (row.upload === 'application/octet-stream') streamed.push(options);
    else if (row.upload === 'multipart/form-data') forms.push(options);
    else app.route(options);
  }
  await app.register(async (scope) => {
    await acceptMultipart(scope);
    for (const options of forms) scope.route(options);
  });
  await app.register(async (scope) => {
    keepRawBodies(scope);
    for (const options of raw) scope.route(options);
  });
  await app.register(async (scope) => {
    passBodiesThrough(scope);
    for (const options of streamed) scope.route(options);
  });
}

/** What Fastify needs for one row. */
export function routeOptions(operationId: OperationId, row: Route, deps: RegisterDeps): RouteOptions {
  const handle = deps.handlers[operationId] as unknown as AnyHandler;
  return {
    method: row.method,
    url: row.path,
    schema: describeRoute(operationId, row),
    config: { row },
    bodyLimit: bodyLimitOf(row),
    exposeHeadRoute: row.media === undefined,
    handler: async (request, reply) => {
      const call = callOf(row, request, reply);
      const { params, query, body } = request;
      refuseUnaskedBody(row, request);
      const run = (): Promise<unknown> => Promise.resolve(handle({ params, query, body: body ?? {} }, call));
      void reply.code(row.status);
      if (row.media === undefined) void reply.header('cache-control', 'no-store');
      if (needsOnce(row)) {
        const sent = await runOnce(deps.db, onceOf(request, call), async () => {
          const answer = (await run()) as Record<string, unknown>;
          const write = reply.getSerializationFunction(String(row.status), 'application/json');
          return { status: row.status, body: write ? write(answer) : JSON.stringify(answer) };
        });
        return reply.code(sent.status).type('application/json').send(sent.body);
      }
      const answer = await run();
      // Streams and downloads have answered by themselves.
      return reply.sent ? reply : (answer ?? reply.send());
    },
  };
}

/** What no schema describes nobody would read; some clients send an empty object with every POST. */
function refuseUnaskedBody(row: Route, { rawBody }: FastifyRequest): void {
  if (row.body !== undefined || row.rawBody || rawBody === undefined) return;
  if (!/^\s*(?:\{\s*\}\s*)?$/.test(rawBody.toString('utf8')))
    throw refuse('request.malformed', 'this call takes no body: send none, or {}', {});
}

function needsOnce(row: Route): boolean {
  return row.idempotent === 'key' && row.upload === undefined;
}

function onceOf(request: FastifyRequest, call: Call): KeyedCall {
  const { caller } = request;
  assert(caller && call.key !== undefined, 'keyed calls have a caller and a key');
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (request.rawBody) hash.update(request.rawBody);
  return { scope: caller.account, key: call.key, requestHash: hash.digest('hex') };
}

function callOf(row: Route, request: FastifyRequest, reply: FastifyReply): Call & { caller: unknown; device: unknown } {
  const key = row.idempotent === 'key' ? checkKey(request) : undefined;
  const { id, ip: address, caller, device } = request;
  return { requestId: id as RequestId, address, key, request, reply, caller, device };
}

function bodyLimitOf(row: Route): number {
  if (row.access === 'webhook') return limits.webhookBodyBytes;
  if (row.path === '/work/exchange') return limits.exchangeBodyBytes;
  if (row.upload === 'application/octet-stream') return limits.outputBytes;
  // Room for the multipart frame around the zip.
  if (row.upload === 'multipart/form-data') return limits.bundleZipBytes + limits.requestBodyBytes;
  return limits.requestBodyBytes;
}
