/** A market in one database for tests of the exchange: funded jobs, devices with keys, and what they say. */

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  emptySha256,
  commitmentOf,
  envelopeText,
  newId,
  parseManifest,
  statementsRoot,
  toHex,
  treeDigest,
  utf8,
  uuidV7Source,
  type AccountId,
  type JobId,
  type ReplicaId,
  type RequestId,
  type ResultStatement,
  type Sha256,
  type Sha256Hex,
  type Tree,
  type WorkerId,
} from '@assay/core';
import { createWorkStore, openUnits, type Database } from '@assay/store';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { opensslVerifier } from './device-signature.ts';
import type { ExchangeReply, Offer } from './exchange-reply.ts';
import { openExchange, type Exchange } from './exchange.ts';
import type { SignedHeaders } from './signed-request.ts';

export const runner = 'platform-runner:python-3.14';
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();
export const ids = uuidV7Source(
  () => Date.now(),
  (count) => randomBytes(count),
);
const clock = { nowMs: () => Date.now() };

/** A market with as many servers as asked for. */
export interface Scene {
  readonly database: TestDatabase;
  readonly exchanges: readonly Exchange[];
  /** What the end of jobs told the money side. */
  readonly endings: { readonly job: JobId; readonly kind: 'verified' | 'failed'; readonly code?: string }[];
  readonly store: ReturnType<typeof createWorkStore>;
  close(): Promise<void>;
}

export async function openScene(servers = 1): Promise<Scene> {
  const database = await testDatabase();
  const endings: Scene['endings'] = [];
  const stores = Array.from({ length: servers }, (_, index) =>
    createWorkStore({
      db: database.db,
      server: `server-${index}`,
      challengeWindowMs: 60_000,
      endings: {
        async verified(_tx, job) {
          endings.push({ job, kind: 'verified' });
        },
        async failed(_tx, job, failure) {
          endings.push({ job, kind: 'failed', code: failure.code });
        },
      },
    }),
  );
  const exchanges = await Promise.all(
    stores.map((store) =>
      openExchange({ store, clock, ids, sha256, verifySignature: opensslVerifier(), ignoreNetwork: true }),
    ),
  );
  const [store] = stores;
  if (!store) throw new Error('a scene has a server');
  return {
    database,
    exchanges,
    endings,
    store,
    async close() {
      await Promise.all(exchanges.map((exchange) => exchange.close()));
      await database.drop();
    },
  };
}

export interface JobOptions {
  readonly chunks?: number;
  readonly redundancy?: number;
  readonly merge?: boolean;
  readonly tolerance?: number;
  /** Further keys of the manifest. */
  readonly asks?: object;
}

/** A funded job with open units, without the money. */
export async function addJob(db: Database, options: JobOptions = {}): Promise<JobId> {
  const { chunks = 1, redundancy = 3, merge = false, tolerance, asks = {} } = options;
  const manifest = parseManifest(
    {
      runner,
      entry_point: 'main.py',
      parallelism: { chunks, ...(merge ? { merge_script: 'merge.py' } : {}) },
      verification:
        tolerance === undefined
          ? { type: 'exact', redundancy }
          : { type: 'metric', metric_name: 'pi', tolerance, redundancy },
      budget_usd: 1000,
      ...asks,
    },
    { runners: [runner] },
  );
  const job = newId('job', ids);
  const customer = await addAccount(db);
  await db.query(
    `INSERT INTO job (id, customer_id, name, state, region, manifest, manifest_hash, bundle, bundle_digest, bundle_files,
       bundle_bytes, currency, price_per_replica, cap, redundancy, units_total, funded_at)
     VALUES ($1, $2, 'test', 'funded', 'eu', $3, $4, '[]', $4, 0, 0, 'USD', 3, 1000, $5, $6, assay_now())`,
    [job, customer, JSON.stringify(manifest), '0'.repeat(64), redundancy, chunks + (merge ? 1 : 0)],
  );
  await db.transaction((tx) =>
    openUnits(tx, { job, ids: Array.from({ length: chunks }, () => newId('unit', ids)), redundancy }),
  );
  return job;
}

export async function addAccount(db: Database): Promise<AccountId> {
  const id = newId('account', ids);
  await db.query(`INSERT INTO account (id, email, region, roles) VALUES ($1, $2, 'eu', '{customer,provider}')`, [
    id,
    `${id}@example.org`,
  ]);
  return id;
}

/** A registered device. */
export interface Device {
  readonly id: WorkerId;
  readonly owner: AccountId;
  readonly key: KeyObject;
}

/** `offers` is what its one runner gives beside computing. */
export async function addDevice(db: Database, owner?: AccountId, offers: object = {}): Promise<Device> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  const device = { id: newId('worker', ids), owner: owner ?? (await addAccount(db)), key: privateKey };
  const machine = {
    arch: 'x64',
    os: 'linux',
    cpuCores: 4,
    memoryGb: 8,
    slots: 4,
    runners: [
      {
        runner,
        driver: 'wasm',
        digest: 'd1',
        ...offers,
      },
    ],
  };
  await db.query(
    `INSERT INTO worker (id, owner_id, public_key, name, machine, region) VALUES ($1, $2, $3, 'device', $4, 'eu')`,
    [device.id, device.owner, raw, JSON.stringify(machine)],
  );
  return device;
}

/** A result that a device has computed for an offer. */
export interface Result {
  readonly offer: Pick<Offer, 'replica' | 'unit' | 'job' | 'machineClass'>;
  readonly outputs: Tree;
  readonly exitCode: number;
  readonly metrics?: string;
  readonly breach?: string;
  readonly nonce: string;
}

/** Empty files need no upload, so results differ by the names of theirs. */
function pathOf(value: string): string {
  return value === 'honest' ? 'out.txt' : `out-${toHex(sha256(utf8(value))).slice(0, 16)}.txt`;
}

export function resultOf(offer: Result['offer'], value = 'honest', more: Partial<Result> = {}): Result {
  const outputs: Tree = value === '' ? [] : [{ path: pathOf(value), sizeBytes: 0, sha256: emptySha256 }];
  return { offer, outputs, exitCode: 0, nonce: randomBytes(32).toString('hex'), ...more };
}

/** What a device says in one request. */
export interface Saying {
  readonly request?: RequestId;
  readonly commits?: readonly Result[];
  readonly reveals?: readonly Result[];
  readonly failures?: readonly { readonly replica: ReplicaId; readonly reason: string }[];
  readonly running?: readonly ReplicaId[];
  readonly claim?: number;
  readonly waitMs?: number;
}

/** One request as it travels. */
export interface Letter {
  readonly headers: SignedHeaders;
  readonly raw: Buffer;
}

/** Writes and signs a request. */
export function letterOf(device: Device, saying: Saying, forge: Partial<SignedHeaders> = {}): Letter {
  const commits = (saying.commits ?? []).map((result) => ({
    replica: result.offer.replica,
    commitment: commitmentOf(sha256, {
      job: result.offer.job,
      unit: result.offer.unit,
      worker: device.id,
      nonce: result.nonce,
      digest: treeDigest(sha256, result.outputs),
    }),
  }));
  const reveals = (saying.reveals ?? []).map((result) => ({
    replica: result.offer.replica,
    nonce: result.nonce,
    exitCode: result.exitCode,
    outputs: result.outputs,
    ...(result.metrics === undefined ? {} : { metrics: result.metrics }),
    ...(result.breach === undefined ? {} : { breach: result.breach }),
    usage: {
      wallMs: 1,
      cpuMs: 1,
      peakBytes: 1,
    },
  }));
  const statements: ResultStatement[] = (saying.reveals ?? []).map((result) => ({
    job: result.offer.job,
    unit: result.offer.unit,
    replica: result.offer.replica,
    worker: device.id,
    machineClass: result.offer.machineClass,
    digest: treeDigest(sha256, result.outputs),
    exitCode: result.exitCode,
    metrics: result.metrics === undefined ? null : (toHex(sha256(utf8(result.metrics))) as Sha256Hex),
  }));
  const { failures = [], running = [], claim = 0, waitMs = 0 } = saying;
  const raw = Buffer.from(JSON.stringify({ commits, reveals, failures, running, claim, waitMs }));
  const envelope = {
    worker: device.id,
    request: saying.request ?? newId('request', ids),
    sentAtMs: Date.now(),
    statementsRoot: statementsRoot(sha256, commits, statements),
    bodySha256: toHex(sha256(raw)) as Sha256Hex,
  };
  const signature = sign(null, utf8(envelopeText(envelope)), device.key).toString('hex');
  const headers: SignedHeaders = {
    worker: envelope.worker,
    request: envelope.request,
    sentAt: String(envelope.sentAtMs),
    root: envelope.statementsRoot,
    signature,
    ip: '127.0.0.1',
    ...forge,
  };
  return { headers, raw };
}

/** Says something and returns the answer. */
export function say(exchange: Exchange | undefined, device: Device, saying: Saying): Promise<ExchangeReply> {
  if (!exchange) throw new Error('no such server');
  const { headers, raw } = letterOf(device, saying);
  return exchange.handle(headers, raw);
}
