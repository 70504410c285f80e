/** The HTTP server: hooks, routes and the console, over what it is given. */

import cookie from '@fastify/cookie';
import { limits, newId } from '@assay/core';
import { ledgerFigures } from '@assay/ledger';
import { followerName } from '@assay/market';
import type { Database } from '@assay/store';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import type { Handlers } from './api/handlers.ts';
import { documentOf, registerOpenApi } from './api/openapi.ts';
import { registerRoutes } from './api/register.ts';
import { admitDevices } from './auth/device.ts';
import { openSignIn, type SignIn } from './auth/sign-in.ts';
import { openPeerBook, type PeerBook } from './gateway/peers.ts';
import { accountHandlers } from './handlers/accounts.ts';
import { banHandlers } from './handlers/bans.ts';
import { outboxHandlers } from './handlers/outbox.ts';
import { createHandlers } from './handlers/create-job.ts';
import { eventHandlers } from './handlers/events.ts';
import { explorerHandlers } from './handlers/explorer.ts';
import { healthHandlers, noObject, type Readiness } from './handlers/health.ts';
import { actingHandlers, readingHandlers } from './handlers/jobs.ts';
import { gatewayHandlers } from './handlers/ledger.ts';
import { providerHandlers } from './handlers/providers.ts';
import { resultHandlers } from './handlers/results.ts';
import { workHandlers } from './handlers/work.ts';
import { admitRequests } from './http/admission.ts';
import { limitBodyTime } from './http/body-deadline.ts';
import { serveConsole } from './http/console-files.ts';
import { countRequests, type InFlight } from './http/in-flight.ts';
import { watchMarket } from './http/market-figures.ts';
import { openMetrics } from './http/metrics.ts';
import { answerMalformedHttp, answerProblems } from './http/problems.ts';
import { parseJsonBodies } from './http/raw-body.ts';
import { addSecurityHeaders } from './http/security-headers.ts';
import { prepareSpool } from './http/spool.ts';
import { refuseUnstorableText } from './http/storable-text.ts';
import { buildValidator } from './http/validation.ts';
import { openBlockHub, type BlockHub } from './live/block-hub.ts';
import { openChangeHub, type ChangeHub } from './live/change-hub.ts';
import type { ServerDeps } from './server-deps.ts';

/** A server that is ready to listen or to be injected requests. */
export interface Server {
  readonly app: FastifyInstance;
  readonly signIn: SignIn;
  /** Whom the gateway's connections belong to. */
  readonly peers: PeerBook;
  /** Stops accepting, ends long polls and streams, and waits for requests under way. */
  close(): Promise<void>;
}

/** Builds a server. */
export async function buildServer(deps: ServerDeps): Promise<Server> {
  const { settings } = deps;
  const stop = new AbortController();
  await prepareSpool(settings.spoolFolder);
  const hub = await openChangeHub(deps.db);
  const app = createApp(deps);
  const blocks = openBlockHub(deps.db, (err) => app.log.warn({ err }, 'new blocks could not be read; trying again'));
  const https = settings.publicOrigin.startsWith('https:');
  const signIn = openSignIn({ ...deps, ...(settings.scrypt ? { scrypt: settings.scrypt } : {}) });
  const metrics = openMetrics();
  watchMarket(metrics, { ...deps, streams: () => hub.watching() });
  metrics.observe(app);
  logRequests(app);
  const inFlight = countRequests(app);
  answerProblems(app);
  addSecurityHeaders(app, { https });
  await app.register(cookie);
  parseJsonBodies(app);
  limitBodyTime(app);
  refuseUnstorableText(app);
  const { publicOrigin, allowance, deviceAllowance } = settings;
  await serveConsole(app, settings.consoleFolder);
  const peers = openPeerBook();
  admitRequests(app, { ...deps, publicOrigin, allowance, deviceAllowance, peers });
  admitDevices(app, { ...deps, workers: deps.exchange.workers });
  await registerOpenApi(app);
  const readiness = readinessOf(deps);
  let document: Record<string, unknown> | undefined;
  const rest = { metrics, readiness, document: () => (document ??= documentOf(app)), stopping: stop.signal };
  const handlers = handlersOf(deps, { hub, blocks, signIn, https, ...rest });
  await registerRoutes(app, { handlers, db: deps.db });
  await app.ready();
  return { app, signIn, peers, close: () => closeServer(app, [hub, blocks], deps, stop, inFlight) };
}

interface Parts extends Pick<Parameters<typeof healthHandlers>[0], 'metrics' | 'readiness' | 'document' | 'stopping'> {
  readonly hub: ChangeHub;
  readonly blocks: BlockHub;
  readonly signIn: SignIn;
  readonly https: boolean;
}

function handlersOf(deps: ServerDeps, parts: Parts): Handlers {
  const { spoolFolder } = deps.settings;
  const { workers } = deps.exchange;
  return {
    ...accountHandlers({ ...deps, signIn: parts.signIn, secureCookies: parts.https }),
    ...providerHandlers(deps),
    ...banHandlers(deps),
    ...outboxHandlers(deps),
    ...actingHandlers(deps),
    ...readingHandlers(deps),
    ...createHandlers({ ...deps, spoolFolder }),
    ...resultHandlers(deps),
    ...eventHandlers({ db: deps.db, ...parts }),
    ...workHandlers({ ...deps, workers, stopping: parts.stopping }),
    ...gatewayHandlers(deps),
    ...explorerHandlers(deps),
    ...healthHandlers({ ...deps, ...parts }),
  };
}

function createApp({ ids, settings, log }: ServerDeps): FastifyInstance {
  return Fastify({
    ...(log ? { loggerInstance: log } : {}),
    bodyLimit: limits.requestBodyBytes,
    requestTimeout: limits.uploadMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    trustProxy: settings.trustProxy.length > 0 ? [...settings.trustProxy] : false,
    genReqId: () => newId('request', ids),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 300 },
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler: answerMalformedHttp(ids),
    return503OnClosing: false,
    logController: new LogController({ disableRequestLogging: true }),
  });
}

/** One line a request, for those who look closely: the hot path is not for logging. */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip } = request;
    request.log.debug({ method, url, ip, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered');
  });
}

function readinessOf({ db, ledger, objects }: ServerDeps): Readiness[] {
  return [
    { name: 'database', check: () => db.query('SELECT 1') },
    { name: 'ledger', check: () => ledger.head() },
    { name: 'ledger lag', check: () => lagText(db) },
    { name: 'objects', check: () => objects.head('eu', noObject) },
  ];
}

/** The market goes on while its ledger lags, so that a lag is told and takes no server out of service. */
async function lagText(db: Database): Promise<string> {
  const { block, waiting, waitingMs } = await ledgerFigures(db, followerName);
  const oldest = waiting === 0 ? '' : `, the oldest for ${Math.round(waitingMs / 1000)} s`;
  return `block ${block}; ${waiting} facts wait to be acted on${oldest}`;
}

async function closeServer(
  app: FastifyInstance,
  hubs: readonly { close(): Promise<void> }[],
  { exchange }: ServerDeps,
  stop: AbortController,
  inFlight: InFlight,
): Promise<void> {
  stop.abort();
  const closed = app.close();
  await Promise.all([...hubs.map((hub) => hub.close()), exchange.close()]);
  await inFlight.drain();
  await closed;
}
