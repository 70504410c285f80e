/** A whole market for tests: a real server over a real database and ledger, a bank and objects in memory, people, devices. */

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createClient,
  createWorkClient,
  type Client,
  type ExchangeRequest,
  type Job,
  type WorkClient,
} from '@assay/client';
import {
  commitmentOf,
  newId,
  refuse,
  statementsRoot,
  treeDigest,
  type AccountId,
  type JobId,
  type ReplicaId,
  type ResultStatement,
  type Sha256,
  type Sha256Hex,
  type Tree,
  type UnitId,
  type WorkerId,
} from '@assay/core';
import { memoryObjectStore, memoryPaymentProvider, type MemoryPaymentProvider } from '@assay/core/conformance';
import { ledgerKeyFromSeed, openEmbeddedLedger } from '@assay/ledger';
import { runToQuiet } from '@assay/market';
import { addAccount, setRoles } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { zipTree } from './bundle/zip-tree.ts';
import { startServer, type RunningServer } from './compose.ts';
import { readConfig } from './config.ts';
import { systemClock, systemIds } from './system-clock.ts';

export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();
export const hashText = (text: string): Sha256Hex => createHash('sha256').update(text).digest('hex') as Sha256Hex;

/** Cheap on purpose: tests sign in often. */
const scrypt = { cost: 16, blockSize: 1, parallelization: 1 };

export interface Scene {
  readonly url: string;
  readonly running: RunningServer;
  readonly stateFolder: string;
  readonly database: TestDatabase;
  readonly bank: MemoryPaymentProvider;
  /** Runs the background processes until nothing is ready. */
  settle(): Promise<void>;
  /** An account with these roles and a client with all scopes. */
  person(name: string, roles: readonly string[]): Promise<Person>;
  close(): Promise<void>;
}

export interface Person {
  readonly account: AccountId;
  readonly key: string;
  readonly client: Client;
}

const allScopes = ['jobs:read', 'jobs:write', 'workers', 'ledger', 'disputes', 'account', 'metrics'] as const;

/** Opens a market; `environment` overrides its settings. */
export async function openScene(
  environment: Readonly<Record<string, string>> = {},
  chain: { readonly channel?: string } = {},
): Promise<Scene> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'assay-server-test-'));
  const bank = memoryPaymentProvider({ sha256, nowMs: () => systemClock.nowMs() });
  const key = ledgerKeyFromSeed(new Uint8Array(32).fill(7));
  const ledger = await openEmbeddedLedger({ db: database.db, key, ...chain });
  const config = readConfig({
    ASSAY_PORT: '0',
    ASSAY_STATE_DIR: folder,
    ASSAY_LOG_LEVEL: 'error',
    ASSAY_PROCESSES: 'false',
    ASSAY_IGNORE_NETWORK: 'true',
    ASSAY_PAYOUT_DELAY: '0ms',
    ...environment,
  });
  const providers = {
    forRegion: (region: string) => {
      if (region !== 'eu') throw unavailable(region);
      return bank;
    },
  };
  const objects = memoryObjectStore(sha256);
  const overrides = { db: database.db, ledger, objects, providers, scrypt };
  const running = await startServer(config, overrides).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  return {
    url: running.url,
    running,
    stateFolder: folder,
    database,
    bank,
    async settle() {
      await runToQuiet(running.trade);
    },
    person: (name, roles) => enroll(running, database, name, roles),
    async close() {
      await running.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function unavailable(region: string): Error {
  return refuse('payment.region_unavailable', `no payment provider is configured for ${region}`, { region });
}

async function enroll(running: RunningServer, database: TestDatabase, name: string, roles: readonly string[]) {
  const account = newId('account', systemIds);
  const email = `${name}@example.org`;
  await addAccount(database.db, { id: account, email, passwordHash: null, region: 'eu', roles: ['customer'] });
  await setRoles(database.db, account, roles);
  const { token } = await running.server.signIn.withTicket(await running.server.signIn.issueTicket(account), name);
  const response = await fetch(`${running.url}/api-keys`, {
    method: 'POST',
    headers: { cookie: `assay_session=${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'test', scopes: allScopes }),
  });
  const { secret: key } = (await response.json()) as { secret: string };
  return { account, key, client: createClient({ baseUrl: running.url, auth: { kind: 'apiKey', key } }) };
}

/** A provider's device that answers units by hand. */
export interface Device {
  readonly id: WorkerId;
  readonly privateKey: KeyObject;
  readonly work: WorkClient;
  /** One exchange with what is given; signs what it states. */
  exchange(body: Partial<ExchangeRequest>, statements?: readonly ResultStatement[]): ReturnType<WorkClient['exchange']>;
}

const runner = 'platform-runner:python-3.14';

/** Registers a device of `owner`. */
export async function addDevice(scene: Scene, owner: Person, name: string, digest = 'digest-1'): Promise<Device> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  const machine = {
    arch: 'x64',
    os: 'linux',
    cpuCores: 4,
    memoryGb: 8,
    slots: 4,
    runners: [{ runner, driver: 'wasm' as const, digest }],
  };
  const { workerId } = await owner.client.createWorker({ publicKey: raw, name, machine });
  const id = workerId as WorkerId;
  const signText = (text: Uint8Array): string => sign(null, text, privateKey).toString('hex');
  const device = { workerId: id, sign: signText, sha256, ids: systemIds, nowMs: () => systemClock.nowMs() };
  const work = createWorkClient({ baseUrl: scene.url, device });
  return {
    id,
    privateKey,
    work,
    exchange(body, statements = []) {
      const whole = { commits: [], reveals: [], failures: [], running: [], claim: 0, waitMs: 0, ...body };
      const commits = whole.commits as { replica: ReplicaId; commitment: Sha256Hex }[];
      return work.exchange(whole, statementsRoot(sha256, commits, statements));
    },
  };
}

/** A bundle as a zip. */
export async function zipOf(files: Readonly<Record<string, string>>): Promise<Blob> {
  const tree = treeOf(files);
  const chunks: Uint8Array[] = [];
  const read = async (path: string): Promise<AsyncIterable<Uint8Array>> =>
    (async function* content() {
      yield new TextEncoder().encode(files[path]);
    })();
  for await (const chunk of zipTree(tree, (file) => read(file.path))) chunks.push(chunk);
  return new Blob(chunks as BlobPart[], { type: 'application/zip' });
}

/** The listing of some files. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return Object.entries(files).map(([path, text]) => ({
    path,
    sizeBytes: Buffer.byteLength(text),
    sha256: hashText(text),
  }));
}

/** A manifest for tests, changed by `change`. */
export function manifestOf(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: 'test',
    runner,
    entry_point: 'main.py',
    verification: { type: 'exact', redundancy: 3 },
    parallelism: { strategy: 'data_parallel', chunks: 2 },
    budget_usd: 5,
    region_preference: 'eu',
    ...change,
  };
}

/** Creates a job of `customer`. */
export async function createTestJob(customer: Person, change: Readonly<Record<string, unknown>> = {}) {
  const manifest = JSON.stringify(manifestOf(change));
  return customer.client.createJob(await zipOf({ 'manifest.json': manifest, 'main.py': 'print(1)\n', 'merge.py': '' }));
}

interface Held {
  readonly replica: ReplicaId;
  readonly statement: ResultStatement;
  readonly nonce: Sha256Hex;
  readonly files: Readonly<Record<string, string>>;
}

/** Lets devices claim, commit, upload and reveal until none gets any more; each unit's files come from `answer`. */
export async function workOff(
  devices: readonly Device[],
  answer: (
    offer: { readonly ordinal: number; readonly kind: string; readonly replica: string },
    device: Device,
  ) => Readonly<Record<string, string>>,
): Promise<void> {
  for (let quiet = 0; quiet < 2;) {
    const held: { readonly device: Device; readonly replicas: Held[] }[] = [];
    for (const device of devices) {
      const { offers } = await device.exchange({ claim: 16 });
      const replicas = offers.map((offer) => hold(device, offer, answer(offer, device)));
      const commits = replicas.map((one) => ({ replica: one.replica, commitment: commitment(one) }));
      if (commits.length > 0) await device.exchange({ commits });
      held.push({ device, replicas });
    }
    for (const { device, replicas } of held) await reveal(device, replicas);
    quiet = held.every(({ replicas }) => replicas.length === 0) ? quiet + 1 : 0;
  }
}

function hold(
  device: Device,
  offer: Readonly<Record<'replica' | 'unit' | 'job' | 'machineClass', string>>,
  files: Readonly<Record<string, string>>,
): Held {
  const metrics = files['metrics.json'];
  const statement: ResultStatement = {
    job: offer.job as JobId,
    unit: offer.unit as UnitId,
    replica: offer.replica as ReplicaId,
    worker: device.id,
    machineClass: offer.machineClass,
    digest: treeDigest(sha256, treeOf(files)),
    exitCode: 0,
    metrics: metrics === undefined ? null : hashText(metrics),
  };
  return { replica: statement.replica, statement, nonce: randomBytes(32).toString('hex') as Sha256Hex, files };
}

function commitment({ statement, nonce }: Held): Sha256Hex {
  const { job, unit, worker, digest } = statement;
  return commitmentOf(sha256, { job, unit, worker, nonce, digest });
}

async function reveal(device: Device, replicas: readonly Held[]): Promise<void> {
  for (const { replica, files } of replicas) {
    // As workers do: an empty file is not uploaded.
    for (const text of Object.values(files).filter((one) => one !== '')) {
      await device.work.putObject(replica, { sha256: hashText(text), open: () => text });
    }
  }
  const reveals = replicas.map(({ replica, nonce, files }) => ({
    replica,
    nonce,
    exitCode: 0,
    outputs: treeOf(files),
    usage: { wallMs: 5, cpuMs: 4, peakBytes: 1000 },
    ...(files['metrics.json'] === undefined ? {} : { metrics: files['metrics.json'] }),
  }));
  if (reveals.length > 0)
    await device.exchange(
      { reveals },
      replicas.map((one) => one.statement),
    );
}

/** Pays and lets the payment arrive. */
export async function fund(scene: Scene, customer: Person, job: Pick<Job, 'id'>): Promise<void> {
  await customer.client.payJob(job.id, { method: 'instant' });
  await scene.settle();
}
