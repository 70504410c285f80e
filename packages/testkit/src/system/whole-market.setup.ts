/** A whole market for system tests: a server with all its processes, workers that reach it over HTTP, one customer. */

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client, type Job } from '@assay/client';
import { newId, type AccountId, type Ledger, type SandboxDriver, type Sha256 } from '@assay/core';
import { memoryObjectStore, memoryPaymentProvider } from '@assay/core/conformance';
import { ledgerKeyFromSeed, openEmbeddedLedger, verifyLedger, type LedgerReport } from '@assay/ledger';
import { checkBooks } from '@assay/market';
import {
  hashToken,
  newToken,
  readConfig,
  startServer,
  systemClock,
  systemIds,
  type RunningServer,
} from '@assay/server';
import { addAccount, addApiKey, type Database } from '@assay/store';
import { testDatabase } from '@assay/store/testing';
import { verifyReceipt } from '@assay/verify';
import { openWorker, type Worker } from '@assay/worker';
import { wasmDriver } from '@assay/sandbox';
import { storedZip } from './stored-zip.setup.ts';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

export interface WholeMarket {
  readonly url: string;
  readonly running: RunningServer;
  readonly customer: Client;
  /** A new account with these roles. */
  person(name: string, roles: readonly string[]): Promise<Person>;
  /** A new owner of machines with an account to be paid on: its API key. */
  provider(name: string): Promise<string>;
  /** What workers said that an operator should read. */
  readonly notes: readonly string[];
  /** Everything that contradicts itself: the three books, the ledger, the receipts of these jobs. */
  faults(jobs: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

export interface Person {
  readonly account: AccountId;
  readonly apiKey: string;
}

export interface MarketSize {
  readonly workers: number;
  /** Units that each worker runs at once. */
  readonly capacity: number;
  /** The sandbox of all workers; the real one when left out. */
  readonly driver?: SandboxDriver;
  /** Another ledger than the embedded one, and how it is verified. */
  readonly ledger?: OtherLedger;
}

export interface OtherLedger {
  open(db: Database): Promise<Ledger>;
  verify(db: Database): Promise<LedgerReport>;
}

const embedded: OtherLedger = {
  open: (db) => openEmbeddedLedger({ db, key: ledgerKeyFromSeed(new Uint8Array(32).fill(7)) }),
  verify: (db) => verifyLedger(db),
};

/** Opens the market; each worker has an owner of its own. */
export async function openWholeMarket(size: MarketSize): Promise<WholeMarket> {
  const database = await testDatabase({ maxConnections: 16 });
  const folder = await mkdtemp(join(tmpdir(), 'assay-system-'));
  const undo = [() => rm(folder, { recursive: true, force: true }), () => database.drop()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const { ledger = embedded } = size;
    const running = await openServer(database.db, folder, ledger);
    undo.push(() => running.close());
    const { url } = running;
    const notes: string[] = [];
    const person = (name: string, roles: readonly string[]) => enroll(database.db, name, roles);
    const provider = async (name: string): Promise<string> => {
      const { apiKey } = await person(name, ['provider']);
      await clientOf(url, apiKey).createPayoutAccount({ region: 'eu' });
      return apiKey;
    };
    const driver = size.driver ?? realSandbox(folder);
    const workers: Worker[] = [];
    undo.push(async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    });
    for (let index = 0; index < size.workers; index += 1) {
      const name = `worker-${index}`;
      const apiKey = await provider(`owner-${index}`);
      const stateDir = join(folder, name);
      const log = (text: string): void => void notes.push(`${name}: ${text}`);
      const settings = { capacity: size.capacity };
      workers.push(await openWorker({ url, apiKey, name, stateDir, settings, driver, log, score: 1 }, systemClock));
    }
    const customer = clientOf(url, (await person('customer', ['customer'])).apiKey);
    const faults = (jobs: readonly string[]) => findFaults(running, customer, jobs, ledger);
    return { url, running, customer, person, provider, notes, faults, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The real sandbox, over a staged interpreter that all tests on this machine share. */
function realSandbox(folder: string): SandboxDriver {
  const cacheDir = join(tmpdir(), `assay-sandbox-runtime-${process.getuid?.() ?? 0}`);
  return wasmDriver({ cacheDir, workDir: join(folder, 'runs') });
}

async function openServer(db: Database, folder: string, choice: OtherLedger): Promise<RunningServer> {
  const bank = memoryPaymentProvider({ sha256, nowMs: () => systemClock.nowMs() });
  const ledger = await choice.open(db);
  const config = readConfig({
    ASSAY_PORT: '0',
    ASSAY_STATE_DIR: folder,
    ASSAY_LOG_LEVEL: 'error',
    ASSAY_IGNORE_NETWORK: 'true',
    ASSAY_CHALLENGE_WINDOW: '1s',
    ASSAY_PAYOUT_DELAY: '0ms',
    ASSAY_ASK_PROVIDER_AFTER: '1s',
    ASSAY_RATE_PER_MINUTE: '100000',
    ASSAY_RATE_BURST: '100000',
  });
  return startServer(config, { db, ledger, objects: memoryObjectStore(sha256), providers: { forRegion: () => bank } });
}

/** An account with an API key. */
async function enroll(db: Database, name: string, roles: readonly string[]): Promise<Person> {
  const account: AccountId = newId('account', systemIds);
  const email = `${name}@example.org`;
  await addAccount(db, { id: account, email, passwordHash: null, region: 'eu', roles: [...roles] });
  const apiKey = newToken('apiKey');
  const scopes = ['jobs:read', 'jobs:write', 'workers', 'ledger', 'account'];
  await addApiKey(db, { id: newId('apiKey', systemIds), account, name, keyHash: hashToken(apiKey), scopes });
  return { account, apiKey };
}

function clientOf(url: string, key: string): Client {
  return createClient({ baseUrl: url, auth: { kind: 'apiKey', key } });
}

/** Submits a job of these files and pays for it. */
export async function submit(
  customer: Client,
  manifest: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): Promise<Job> {
  const whole = { runner: 'platform-runner:python-3.14', entry_point: 'main.py', budget_usd: 1000, ...manifest };
  const zip = storedZip({ 'manifest.json': JSON.stringify(whole), ...files });
  const job = await customer.createJob(new Blob([zip], { type: 'application/zip' }));
  await customer.payJob(job.id, { method: 'instant' });
  return job;
}

const ended: ReadonlySet<Job['state']> = new Set(['completed', 'refunded', 'cancelled', 'disputed']);

/** The jobs once all have ended; throws with what they are doing when that takes longer than `ms`. */
export async function untilEnded(customer: Client, ids: readonly string[], ms: number): Promise<Job[]> {
  const started = performance.now();
  for (;;) {
    const jobs = await Promise.all(ids.map((id) => customer.getJob(id)));
    if (jobs.every((job) => ended.has(job.state))) return jobs;
    if (performance.now() - started > ms) {
      const where = jobs.map(({ id, state, counts }) => `${id} ${state} ${JSON.stringify(counts)}`);
      throw new Error(`not ended after ${ms} ms:\n${where.join('\n')}`);
    }
    await sleep(250);
  }
}

async function findFaults(
  running: RunningServer,
  customer: Client,
  jobs: readonly string[],
  { verify }: OtherLedger,
): Promise<string[]> {
  const books = await checkBooks(running.trade);
  const ledger = await verify(running.db);
  const faults = [
    ...books.map(({ rule, ref, text }) => `${rule}: ${ref}: ${text}`),
    ...ledger.problems.map(({ table, block, what }) => `the ledger: ${table} ${block}: ${what}`),
  ];
  for (const job of jobs) {
    const verdict = verifyReceipt(await customer.getReceiptText(job));
    if (!verdict.ok) faults.push(`the receipt of ${job}: ${verdict.part}: ${verdict.message}`);
  }
  return faults;
}
