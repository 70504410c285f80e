/** The one place that picks adapters and ties a server together. */

import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  newId,
  standardRateCard,
  type Clock,
  type IdSource,
  type Ledger,
  type ObjectStore,
  type PaymentProvider,
  type Region,
} from '@assay/core';
import { ledgerRoles, platformMsp } from '@assay/contracts';
import {
  buildReceipt,
  cancelJob,
  createJob,
  deviceVerifier,
  disputeJob,
  moneyTimeline,
  openExchange,
  payJob,
  quoteManifest,
  receiveWebhook,
  resolveDispute,
  startProcesses,
  workFailed,
  nodeSha256,
  workVerified,
  type Exchange,
  type TradeDeps,
} from '@assay/market';
import { openDiskStore, openKeyring } from '@assay/objects';
import { createTradeStore, createWorkStore, tradeEndings, type Database } from '@assay/store';
import type { FastifyBaseLogger } from 'fastify';
import pino from 'pino';
import type { ScryptCost } from './auth/password.ts';
import type { Config } from './config.ts';
import { openConfiguredDatabase } from './database-choice.ts';
import { fitWindow } from './fit-window.ts';
import { startHousekeeping } from './housekeeping.ts';
import { openConfiguredGateway } from './gateway-choice.ts';
import type { Gateway } from './gateway/listener.ts';
import { openConfiguredLedger } from './ledger-choice.ts';
import { listen } from './listening.ts';
import type { Market } from './market-port.ts';
import { configuredProviders } from './provider-choice.ts';
import { buildServer, type Server } from './server.ts';
import { systemClock, systemIds } from './system-clock.ts';

/** What tests and the demo put in place of the configured parts. */
export interface Overrides {
  readonly clock?: Clock;
  readonly ids?: IdSource;
  readonly db?: Database;
  readonly objects?: ObjectStore;
  readonly ledger?: Ledger;
  readonly providers?: { forRegion(region: Region): PaymentProvider };
  readonly log?: FastifyBaseLogger;
  readonly scrypt?: ScryptCost;
}

/** A running server with the parts that programs around it need. */
export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly server: Server;
  /** Where programs with client certificates are answered; undefined where none is configured. */
  readonly gateway: Gateway | undefined;
  readonly db: Database;
  readonly ledger: Ledger;
  readonly objects: ObjectStore;
  readonly exchange: Exchange;
  /** For running the background processes by hand where the configuration starts none. */
  readonly trade: TradeDeps;
  /** Stops everything in order; nothing that was acknowledged is lost. */
  close(): Promise<void>;
}

/** Starts a server as configured. Refuses `config.invalid`, `store.locked` and what its parts refuse. */
export async function startServer(config: Config, overrides: Overrides = {}): Promise<RunningServer> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const parts = await openParts(config, overrides, undo);
    const { trade, exchange, db, ledger, objects, log } = parts;
    await fitWindow(ledger, config.challengeWindowMs, log);
    if (config.processes) {
      const housekeeping = startHousekeeping(parts);
      undo.push(() => housekeeping.stop());
      const processes = await startProcesses(trade);
      undo.push(() => processes.stop());
    }
    const opened: { gateway?: Gateway | undefined } = {};
    const listening = await listen(config, async (publicOrigin) => {
      const server = await buildServer({ ...parts, settings: { ...settingsOf(config, overrides), publicOrigin } });
      // At once: streams of the gateway end when the server's do.
      undo.push(() => Promise.all([opened.gateway?.close(), server.close()]));
      return server;
    });
    const gateway = await openConfiguredGateway(config, listening.server, parts);
    opened.gateway = gateway;
    log.info({ url: listening.url }, 'the market is open');
    return { ...listening, gateway, db, ledger, objects, exchange, trade, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function settingsOf(config: Config, { scrypt }: Overrides) {
  return {
    trustProxy: config.trustProxy,
    spoolFolder: join(config.stateFolder, 'spool'),
    allowance: { burst: config.rateBurst, perMinute: config.ratePerMinute },
    paymentMode: config.paymentMode,
    deviceAllowance: { burst: config.deviceRateBurst, perMinute: config.deviceRatePerMinute },
    ...(config.consoleFolder === undefined ? {} : { consoleFolder: resolve(config.consoleFolder) }),
    ...(scrypt ? { scrypt } : {}),
  };
}

/** Opens the adapters; what must be closed again is added to `undo`. */
async function openParts(config: Config, overrides: Overrides, undo: (() => Promise<unknown>)[]) {
  const { clock = systemClock, ids = systemIds } = overrides;
  const log = overrides.log ?? pino({ level: config.logLevel });
  const db = overrides.db ?? (await openConfiguredDatabase(config, log, undo));
  const keys = join(config.stateFolder, 'keys');
  const ledger = overrides.ledger ?? (await openConfiguredLedger(config, { db, clock, log }, undo));
  const objects = overrides.objects ?? (await openObjects(config, clock, config.objectKeys ?? join(keys, 'objects')));
  const providers = overrides.providers ?? configuredProviders(config);
  const trade = tradeDeps({ config, db, ledger, providers, clock, ids, log });
  const endings = tradeEndings({ verified: workVerified, failed: (tx, job) => workFailed(trade, tx, job) });
  const server = newId('request', ids);
  const work = createWorkStore({ db, server, challengeWindowMs: config.challengeWindowMs, endings });
  const verifySignature = deviceVerifier();
  const { ignoreNetwork, runnerDigests } = config;
  const exchange = await openExchange({
    store: work,
    clock,
    ids,
    sha256: nodeSha256,
    verifySignature,
    ignoreNetwork,
    runnerDigests,
  });
  undo.push(() => exchange.close());
  const market = bindMarket(trade);
  return {
    db,
    ledger,
    objects,
    providers,
    trade,
    work,
    uploads: work,
    exchange,
    market,
    verifySignature,
    clock,
    ids,
    sha256: nodeSha256,
    log,
    mspId: platformMsp,
  };
}

async function openObjects(config: Config, clock: Clock, keyFile: string): Promise<ObjectStore> {
  const folder = join(config.stateFolder, 'objects');
  await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 });
  return openDiskStore({ folder, keyring: await openKeyring(keyFile), clock });
}

interface TradeParts extends Pick<TradeDeps, 'ledger' | 'providers' | 'clock' | 'ids'> {
  readonly config: Config;
  readonly db: Database;
  readonly log: FastifyBaseLogger;
}

function tradeDeps({ config, db, log, ...parts }: TradeParts): TradeDeps {
  const [orchestrator, , arbiter] = ledgerRoles;
  return {
    ...parts,
    store: createTradeStore(db),
    sha256: nodeSha256,
    identities: {
      orchestrator: { mspId: platformMsp, name: 'orchestrator', roles: [orchestrator] },
      arbiter: { mspId: platformMsp, name: 'arbiter', roles: [arbiter] },
    },
    terms: {
      runners: config.runners,
      gpuRunners: config.gpuRunners,
      rateCard: standardRateCard,
      commission: config.commission,
      payWithinMs: config.payWithinMs,
      payoutDelayMs: config.payoutDelayMs,
      askAgainMs: config.askAgainMs,
      storage: { ru: 'disk:ru', eu: 'disk:eu', us: 'disk:us', cn: 'disk:cn' },
    },
    onProblem: (process, err) => log.error({ err, process }, 'a background process failed and will try again'),
  };
}

function bindMarket(deps: TradeDeps): Market {
  return {
    quote: (manifest) => quoteManifest(deps, manifest),
    createJob: (request) => createJob(deps, request),
    payJob: (request) => payJob(deps, request),
    cancelJob: (request) => cancelJob(deps, request),
    disputeJob: (request) => disputeJob(deps, request),
    resolveDispute: (request) => resolveDispute(deps, request),
    receiveWebhook: (webhook) => receiveWebhook(deps, webhook),
    moneyTimeline: (job) => moneyTimeline(deps, job),
    receipt: (job) => buildReceipt(deps, job),
  };
}
