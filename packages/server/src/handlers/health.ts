/** What the people who run a server look at. */

import { isIPv4 } from 'node:net';
import { Fault, limits, refuse, type Clock, type Sha256Hex } from '@assay/core';
import type { Database } from '@assay/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HandlersOf } from '../api/handlers.ts';
import type { Health, Ready } from '../api/schemas/health.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { Metrics } from '../http/metrics.ts';
import type { ServerSettings } from '../server-deps.ts';
import manifest from '../../package.json' with { type: 'json' };

/** Something that must answer before this server can work. */
export interface Readiness {
  readonly name: string;
  /** Resolves when it answers, with a text where there is something to tell. */
  readonly check: () => Promise<unknown>;
}

export interface HealthDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly readiness: readonly Readiness[];
  readonly metrics: Metrics;
  readonly document: () => Record<string, unknown>;
  readonly stopping: AbortSignal;
  readonly settings: Pick<ServerSettings, 'paymentMode'>;
}

/** An object that no store has: asking for it shows that the store answers. */
export const noObject = '0'.repeat(64) as Sha256Hex;

type Operations = 'health' | 'healthLive' | 'ready' | 'healthReady' | 'metrics' | 'openapi';

/** The handlers. */
export function healthHandlers(deps: HealthDeps): HandlersOf<Operations> {
  const startedMs = deps.clock.nowMs();
  const health = (): Health => ({
    status: 'ok',
    version: manifest.version,
    uptimeMs: deps.clock.nowMs() - startedMs,
    payments: deps.settings.paymentMode,
  });
  const ready = async (reply: FastifyReply): Promise<Ready> => {
    if (deps.stopping.aborted) throw refuse('server.stopping', 'the server is stopping', {});
    const checks = await Promise.all(deps.readiness.map(checkOne));
    const isReady = checks.every((check) => check.ok);
    if (!isReady) void reply.code(503);
    return { ready: isReady, checks };
  };
  return {
    health: () => health(),
    healthLive: () => health(),
    ready: (_input, { reply }) => ready(reply),
    healthReady: (_input, { reply }) => ready(reply),
    async metrics(_input, { request, reply }) {
      // At the gateway a certificate says who asks, wherever the connection comes from.
      if (request.caller || !fromHere(request)) await checkOperator(deps.db, request);
      const { contentType, text } = await deps.metrics.render();
      return reply.type(contentType).send(text);
    },
    openapi: () => deps.document(),
  };
}

async function checkOne({ name, check }: Readiness): Promise<Ready['checks'][number]> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('does not answer')), limits.readyCheckMs);
  try {
    const told = await Promise.race([check(), promise]);
    return { name, ok: true, text: typeof told === 'string' ? told : 'answers' };
  } catch (error) {
    return { name, ok: false, text: error instanceof Fault ? error.message : 'does not answer' };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A process of this machine asks by one of its own names: not a proxy of this machine for somebody else, nor a page
 * whose foreign name was bound to this address.
 */
function fromHere(request: FastifyRequest): boolean {
  const { ip } = request;
  if (!/^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d{1,5})?$/.test(request.headers.host ?? '')) return false;
  const loopback = ip === '::1' || ip.startsWith('::ffff:127.') || (isIPv4(ip) && ip.startsWith('127.'));
  return loopback && request.headers['x-forwarded-for'] === undefined && request.headers['forwarded'] === undefined;
}

async function checkOperator(db: Database, request: FastifyRequest): Promise<void> {
  const { authorization } = request.headers;
  const caller =
    request.caller ??
    (authorization === undefined ? undefined : await authenticate(db, { authorization, cookie: undefined }));
  if (!caller?.roles.includes('operator') || !caller.scopes.includes('metrics')) {
    throw refuse('auth.forbidden', 'metrics are for this machine and for operators’ keys', {});
  }
}
