/** A market of one worker in memory, for the agent's tests: strict about the protocol, faulty on demand. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ExchangeRequest, ExchangeResponse, JobSpec, LogRequest, Offer } from '@assay/client';
import {
  commitmentOf,
  Fault,
  parseSha256,
  refuse,
  statementsRoot,
  treeDigest,
  type JobId,
  type ReplicaId,
  type Sha256Hex,
  type Tree,
  type UnitId,
  type WorkerId,
} from '@assay/core';
import { sha256 } from './device-key.ts';
import type { WorkCalls, WorkTransport } from './transport.ts';

export const workerId = `wrk_${'a'.repeat(32)}` as WorkerId;
const jobId = `job_${'b'.repeat(32)}` as JobId;
const tail = (n: number) => n.toString(16).padStart(32, '0');
const unitId = (n: number) => `unt_${tail(n)}` as UnitId;
export const replicaId = (n: number) => `rep_${tail(n)}` as ReplicaId;

export function hashOfText(text: string | Uint8Array): Sha256Hex {
  const hash = parseSha256(createHash('sha256').update(text).digest('hex'));
  if (!hash) throw new Error('SHA-256 in hex');
  return hash;
}

export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return Object.entries(files).map(([path, text]) => ({
    path,
    sizeBytes: Buffer.byteLength(text),
    sha256: hashOfText(text),
  }));
}

const bundle = { 'main.py': 'print(1)', 'data/in.txt': 'input' };

export const jobSpec: JobSpec = {
  runner: 'platform-runner:python-3.14',
  entryPoint: 'main.py',
  mergeScript: null,
  args: ['--x'],
  outputDir: 'results/',
  bundle: treeOf(bundle),
  resources: { cpuCores: 1, memoryGb: 0.25 },
  timeoutMs: 60_000,
  randomSeed: 7,
  chunks: 4,
  perReplica: { currency: 'USD', minor: '3' },
  verification: { type: 'metric', metricName: 'pi', tolerance: 0.1 },
};

interface Row {
  state: 'open' | 'leased' | 'committed' | 'revealed' | 'lost';
  readonly offer: Offer;
  commitment?: string;
  reveal?: ExchangeRequest['reveals'][number];
  reason?: string;
}

export interface FakeServer {
  readonly rows: Map<ReplicaId, Row>;
  readonly objects: Map<string, Uint8Array>;
  readonly lines: LogRequest['lines'][number][];
  readonly uploads: Set<string>;
  /** Request ids in the order of arrival, repeated ones included. */
  readonly requests: string[];
  spec: JobSpec;
  /** Whether committed replicas may be revealed. */
  open: boolean;
  stop: ReplicaId[];
  /** Called before and after each exchange takes effect; may throw. */
  onExchange: (stage: 'before' | 'after', body: ExchangeRequest) => void;
  /** Called before each object is served or stored; may throw. */
  onObject: (verb: 'get' | 'put', hash: string) => void;
  offer(n: number, changes?: Partial<Offer>): ReplicaId;
  /** A transport whose calls hang for ever once `kill` was called, as after kill -9 of the worker. */
  transport(): WorkTransport & { kill(): void };
}

/** A server with the files of `bundle` and nothing to do. */
export function fakeServer(): FakeServer {
  const answers = new Map<string, ExchangeResponse>();
  const server: FakeServer = {
    rows: new Map(),
    objects: new Map(Object.values(bundle).map((text) => [hashOfText(text), Buffer.from(text)])),
    lines: [],
    uploads: new Set(),
    requests: [],
    spec: jobSpec,
    open: true,
    stop: [],
    onExchange: () => {},
    onObject: () => {},
    offer(n, changes = {}) {
      const offer: Offer = {
        replica: replicaId(n),
        unit: unitId(n),
        job: jobId,
        kind: 'work',
        ordinal: n,
        machineClass: '0'.repeat(64),
        leaseUntil: '2026-01-01T00:00:00.000Z',
        ...changes,
      };
      server.rows.set(replicaId(n), { state: 'open', offer });
      return replicaId(n);
    },
    transport() {
      let alive = true;
      const guard = async <T>(work: () => Promise<T>): Promise<T> => {
        if (!alive) await new Promise(() => {});
        const value = await work();
        if (!alive) await new Promise(() => {});
        return value;
      };
      const calls: WorkCalls = {
        exchange: (body, root, request, signal) =>
          guard(() => exchange(server, answers, { body, root, request, signal })),
        sendLogs: (lines) => guard(async () => void server.lines.push(...lines)),
        putObject: (replica, hash, path) =>
          guard(async () => {
            server.onObject('put', hash);
            if (hashOfText(await readFile(path)) !== hash) throw refuse('object.hash_mismatch', 'other content');
            server.uploads.add(`${replica}/${hash}`);
          }),
        getObject: (_replica, hash) =>
          guard(async () => {
            server.onObject('get', hash);
            const bytes = server.objects.get(hash);
            if (!bytes) throw refuse('object.not_found', 'no such object');
            return stream(bytes);
          }),
      };
      return {
        register: () => guard(async () => workerId),
        connect: () => calls,
        kill() {
          alive = false;
        },
      };
    },
  };
  return server;
}

async function* stream(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
}

interface Call {
  readonly body: ExchangeRequest;
  readonly root: string;
  readonly request: string;
  readonly signal: AbortSignal;
}

async function exchange(
  server: FakeServer,
  answers: Map<string, ExchangeResponse>,
  call: Call,
): Promise<ExchangeResponse> {
  const { body, request } = call;
  server.requests.push(request);
  server.onExchange('before', body);
  let answer = answers.get(request);
  if (!answer) {
    const refused = hear(server, call);
    answer = { ...look(server, body), refused };
    const deadline = performance.now() + Math.min(body.waitMs, 300);
    while (quiet(answer) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (call.signal.aborted) throw call.signal.reason;
      answer = { ...look(server, body), refused };
    }
    answers.set(request, answer);
  }
  server.onExchange('after', body);
  return structuredClone(answer);
}

function quiet(answer: ExchangeResponse): boolean {
  return [answer.offers, answer.reveal, answer.stop, answer.refused].every((items) => items.length === 0);
}

function look(server: FakeServer, body: ExchangeRequest): Omit<ExchangeResponse, 'refused'> {
  const rows = [...server.rows.values()];
  const offers = rows.filter((row) => row.state === 'open').slice(0, body.claim);
  for (const row of offers) row.state = 'leased';
  return {
    offers: offers.map((row) => row.offer),
    jobs: offers.length > 0 ? { [jobId]: server.spec } : {},
    reveal: server.open ? rows.filter((row) => row.state === 'committed').map((row) => row.offer.replica) : [],
    // Repeated, as the real server does, until the worker no longer runs it.
    stop: server.stop.filter((replica) => body.running.includes(replica)),
  };
}

function hear(server: FakeServer, { body, root }: Call): ExchangeResponse['refused'] {
  const refused: { replica: string; code: string }[] = [];
  const statements = body.reveals.map((reveal) => {
    const row = server.rows.get(reveal.replica as ReplicaId);
    return {
      job: jobId,
      unit: row?.offer.unit as UnitId,
      replica: reveal.replica as ReplicaId,
      worker: workerId,
      machineClass: row?.offer.machineClass ?? '',
      digest: treeDigest(sha256, reveal.outputs as Tree),
      exitCode: reveal.exitCode,
      metrics: reveal.metrics === undefined ? null : hashOfText(reveal.metrics),
    };
  });
  const commits = body.commits as readonly { replica: ReplicaId; commitment: Sha256Hex }[];
  if (statementsRoot(sha256, commits, statements) !== root) throw refuse('auth.bad_signature', 'the root is wrong');
  for (const { replica, commitment } of commits) {
    const row = server.rows.get(replica);
    if (row?.state === 'leased') Object.assign(row, { state: 'committed', commitment });
    else if (row?.state !== 'committed' || row.commitment !== commitment) {
      refused.push({ replica, code: row?.state === 'lost' ? 'replica.lease_expired' : 'replica.wrong_state' });
    }
  }
  body.reveals.forEach((reveal, index) => {
    const row = server.rows.get(reveal.replica as ReplicaId);
    const digest = statements[index]?.digest;
    const { nonce, replica } = reveal;
    const missing = reveal.outputs.some(
      (file) => file.sizeBytes > 0 && !server.uploads.has(`${replica}/${file.sha256}`),
    );
    if (row?.state !== 'committed') refused.push({ replica, code: 'replica.wrong_state' });
    else if (!server.open) refused.push({ replica, code: 'replica.reveal_closed' });
    else if (
      digest === undefined ||
      row.commitment !==
        commitmentOf(sha256, { job: jobId, unit: row.offer.unit as UnitId, worker: workerId, nonce, digest })
    ) {
      refused.push({ replica, code: 'replica.commitment_mismatch' });
    } else if (missing) refused.push({ replica, code: 'replica.output_missing' });
    else Object.assign(row, { state: 'revealed', reveal });
  });
  for (const { replica, reason } of body.failures) {
    const row = server.rows.get(replica as ReplicaId);
    if (row?.state === 'leased' || row?.state === 'committed') Object.assign(row, { state: 'lost', reason });
    else refused.push({ replica, code: 'replica.wrong_state' });
  }
  return refused;
}

/** An outage as the client reports it. */
export function outage(): Fault {
  return new Fault('server.unreachable', 'the server does not answer', { retry: true });
}
