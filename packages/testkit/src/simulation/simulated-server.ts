/** One server of the market, without HTTP: composed over the shared database, gone with all its memory when it crashes. */

import { createHash } from 'node:crypto';
import { ledgerRoles, platformMsp } from '@assay/contracts';
import {
  newId,
  standardCommission,
  standardRateCard,
  type IdSource,
  type PaymentProvider,
  type Sha256,
  type WorkStore,
} from '@assay/core';
import { agreeOnWindow, openEmbeddedLedger, type LedgerKey } from '@assay/ledger';
import {
  createJobFacts,
  deviceVerifier,
  openExchange,
  sweepWork,
  workFailed,
  workVerified,
  type Exchange,
  type TradeDeps,
} from '@assay/market';
import { createTradeStore, createWorkStore, tradeEndings, type Database } from '@assay/store';
import { Crash } from './crash.ts';
import type { Faults } from './faults.ts';
import { faultyDatabase, type FaultyDeps, type Host } from './faulty-database.ts';
import { faultyProvider } from './faulty-provider.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { Turnstile } from './turnstile.ts';

export const runner = 'platform-runner:python-3.14';
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const verifySignature = deviceVerifier();
const [orchestratorRole, , arbiterRole] = ledgerRoles;

/** What servers share: everything that survives a crash, and who plays the world. */
export interface Site {
  readonly db: Database;
  readonly clock: SimulatedClock;
  readonly ids: IdSource;
  readonly bank: PaymentProvider;
  readonly ledgerKey: LedgerKey;
  readonly turnstile: Turnstile;
  readonly faults: Faults;
  readonly scenario: Scenario;
  /** Puts something of a test in place of the configured parts of each server. */
  readonly override?: (trade: TradeDeps) => TradeDeps;
}

export interface SimulatedServer {
  readonly name: string;
  alive: boolean;
  readonly trade: TradeDeps;
  readonly work: WorkStore;
  readonly exchange: Exchange;
  /** Ends silent workers' leases. */
  sweep(): Promise<number>;
  /** Ends the server from outside. */
  kill(): void;
}

/** Composes a server as `compose` of the server package does. `skewMs` is the error of its clock. */
export async function startServer(site: Site, name: string, skewMs: number): Promise<SimulatedServer> {
  const { clock, ids, turnstile, faults, scenario } = site;
  const server = { name, alive: true } as Pick<SimulatedServer, 'name' | 'alive'>;
  const { host, kill } = hostOf(server, turnstile);
  const faulty: FaultyDeps = { host, turnstile, faults };
  const ledgerLine = { isOpen: false };
  const db = faultyDatabase(faulty, site.db, 'books');
  const plain: TradeDeps = {
    store: createTradeStore(db),
    ids,
    sha256,
    clock: { nowMs: () => clock.nowMs() + skewMs },
    providers: { forRegion: () => faultyProvider(faulty, site.bank) },
    ledger: await openEmbeddedLedger({ db: ledgerDatabase(faulty, site.db, ledgerLine), key: site.ledgerKey }),
    identities: {
      orchestrator: { mspId: platformMsp, name: 'orchestrator', roles: [orchestratorRole] },
      arbiter: { mspId: platformMsp, name: 'arbiter', roles: [arbiterRole] },
    },
    terms: {
      runners: [runner],
      gpuRunners: [],
      rateCard: standardRateCard,
      commission: standardCommission,
      payWithinMs: scenario.payWithinMs,
      payoutDelayMs: scenario.payoutDelayMs,
      askAgainMs: 30_000,
      storage: { ru: 'disk:ru', eu: 'disk:eu', us: 'disk:us', cn: 'disk:cn' },
    },
    onProblem: () => undefined,
  };
  await agreeOnWindow(plain.ledger, 0);
  ledgerLine.isOpen = true;
  const trade = site.override?.(plain) ?? plain;
  const endings = tradeEndings({ verified: workVerified, failed: (tx, job) => workFailed(trade, tx, job) });
  const work = createWorkStore({
    db,
    server: newId('request', ids),
    challengeWindowMs: scenario.challengeWindowMs,
    endings,
  });
  const exchange = await openExchange({
    store: work,
    clock: trade.clock,
    ids,
    sha256,
    verifySignature,
    ignoreNetwork: true,
  });
  const facts = createJobFacts(work);
  return Object.assign(server, {
    trade,
    work,
    exchange,
    kill,
    async sweep() {
      const { lost, impatient, batches } = await sweepWork({ store: work, facts, ids, sha256 });
      return lost + impatient + batches;
    },
  });
}

/** The life of a server: as long as it is alive its calls go through, and its death ends those that wait. */
function hostOf(
  server: Pick<SimulatedServer, 'name' | 'alive'>,
  turnstile: Turnstile,
): { host: Host; kill: () => void } {
  const { name } = server;
  const kill = (): void => {
    server.alive = false;
    turnstile.dropServer(name, new Crash(`${name} was killed`));
  };
  const host: Host = {
    name,
    checkAlive() {
      if (!server.alive) throw new Crash(`${name} is dead`);
    },
    die() {
      kill();
      throw new Crash(`${name} crashed`);
    },
  };
  return { host, kill };
}

/** Opening the ledger is part of the start, which is one step; only what comes later waits and fails. */
function ledgerDatabase(faulty: FaultyDeps, db: Database, line: { isOpen: boolean }): Database {
  const later = faultyDatabase(faulty, db, 'ledger');
  return {
    ...later,
    query: (sql, values) => (line.isOpen ? later : db).query(sql, values),
    transaction: (run) => (line.isOpen ? later : db).transaction(run),
  };
}
