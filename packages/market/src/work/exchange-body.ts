/** The body of an exchange request, read strictly and without waste: this is the hottest input of the market. */

import {
  emptySha256,
  exitCodeOf,
  isSafePath,
  limits,
  parseId,
  parseSha256,
  refuse,
  type JobId,
  type ReplicaId,
  type Sha256Hex,
  type Tree,
  type TreeFile,
} from '@assay/core';

export interface BodyCommit {
  readonly replica: ReplicaId;
  readonly commitment: Sha256Hex;
}

export interface BodyReveal {
  readonly replica: ReplicaId;
  /** 64 hex digits. */
  readonly nonce: Sha256Hex;
  readonly exitCode: number;
  readonly outputs: Tree;
  /** The text of `metrics.json`. */
  readonly metrics: string | null;
  readonly usage: { readonly wallMs: number; readonly cpuMs: number; readonly peakBytes: number };
  /** What the unit reached for, where the sandbox ended it for that. */
  readonly breach?: string;
}

export interface BodyFailure {
  readonly replica: ReplicaId;
  readonly reason: string;
}

/** What a worker says in one request. */
export interface ExchangeBody {
  readonly commits: readonly BodyCommit[];
  readonly reveals: readonly BodyReveal[];
  readonly failures: readonly BodyFailure[];
  /** Replicas that still run: their leases are renewed. */
  readonly running: readonly ReplicaId[];
  /** How many more replicas the worker would take. */
  readonly claim: number;
  readonly waitMs: number;
  /** Jobs whose specification the worker has: the answer leaves them out. */
  readonly knownJobs: readonly JobId[];
}

type Json = Readonly<Record<string, unknown>>;

/** Reads a body; refuses `request.malformed` with the path of the first fault. */
export function readExchangeBody(raw: Uint8Array): ExchangeBody {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8'));
  } catch {
    throw malformed('', 'is not JSON');
  }
  const body = record(value, '', ['commits', 'reveals', 'failures', 'running', 'claim', 'waitMs', 'knownJobs']);
  return {
    commits: list(body['commits'], 'commits', limits.exchangeItems, readCommit),
    reveals: list(body['reveals'], 'reveals', limits.exchangeItems, readReveal),
    failures: list(body['failures'], 'failures', limits.exchangeItems, readFailure),
    running: list(body['running'], 'running', limits.workerReplicas, replica),
    claim: whole(body['claim'], 'claim', 0, limits.exchangeItems),
    waitMs: whole(body['waitMs'], 'waitMs', 0, limits.longPollMs),
    knownJobs: list(body['knownJobs'] ?? [], 'knownJobs', limits.exchangeItems, knownJob),
  };
}

function readCommit(value: unknown, path: string): BodyCommit {
  const commit = record(value, path, ['replica', 'commitment']);
  return { replica: replica(commit['replica'], path), commitment: hash(commit['commitment'], `${path}.commitment`) };
}

function readReveal(value: unknown, path: string): BodyReveal {
  const reveal = record(value, path, ['replica', 'nonce', 'exitCode', 'outputs', 'metrics', 'usage', 'breach']);
  const usage = record(reveal['usage'], `${path}.usage`, ['wallMs', 'cpuMs', 'peakBytes']);
  const metrics = reveal['metrics'] ?? null;
  if (metrics !== null && (typeof metrics !== 'string' || !isMetricsText(metrics))) {
    throw malformed(`${path}.metrics`, `must be text of at most ${limits.metricsFileBytes} characters`);
  }
  if (metrics !== null && (metrics.includes('\0') || !metrics.isWellFormed())) {
    throw malformed(`${path}.metrics`, 'must be well-formed text');
  }
  return {
    replica: replica(reveal['replica'], path),
    nonce: hash(reveal['nonce'], `${path}.nonce`),
    exitCode: whole(reveal['exitCode'], `${path}.exitCode`, -1, 255),
    outputs: readOutputs(reveal['outputs'], `${path}.outputs`),
    metrics,
    usage: {
      wallMs: whole(usage['wallMs'], `${path}.usage.wallMs`),
      cpuMs: whole(usage['cpuMs'], `${path}.usage.cpuMs`),
      peakBytes: whole(usage['peakBytes'], `${path}.usage.peakBytes`),
    },
    ...(reveal['breach'] === undefined ? {} : { breach: readBreach(reveal, path) }),
  };
}

/** Only a unit that was ended for it has a breach: its exit code says so. */
function readBreach(reveal: Json, path: string): string {
  const breach = reveal['breach'];
  if (typeof breach !== 'string' || breach === '' || breach.length > limits.breachChars || !isMetricsText(breach)) {
    throw malformed(`${path}.breach`, `must be text of at most ${limits.breachChars} characters`);
  }
  if (!breach.isWellFormed() || reveal['exitCode'] !== exitCodeOf({ kind: 'killed', why: 'policy' })) {
    throw malformed(`${path}.breach`, 'must be well-formed text beside the exit code of a breach');
  }
  return breach;
}

/** What PostgreSQL can store. */
function isMetricsText(text: string): boolean {
  return text.length <= limits.metricsFileBytes && !text.includes('\0');
}

function readOutputs(value: unknown, path: string): Tree {
  const outputs = list(value, path, limits.outputFiles, readFile);
  const paths = new Set(outputs.map((file) => file.path.toLowerCase()));
  if (paths.size !== outputs.length) throw malformed(path, 'lists a path twice');
  const sum = outputs.reduce((bytes, file) => bytes + file.sizeBytes, 0);
  if (sum > limits.outputBytes) throw malformed(path, `has more than ${limits.outputBytes} bytes`);
  return outputs;
}

function readFile(value: unknown, path: string): TreeFile {
  const file = record(value, path, ['path', 'sizeBytes', 'sha256']);
  const name = file['path'];
  if (typeof name !== 'string' || !isSafePath(name)) throw malformed(`${path}.path`, 'must be a safe relative path');
  const sizeBytes = whole(file['sizeBytes'], `${path}.sizeBytes`);
  const sha256 = hash(file['sha256'], `${path}.sha256`);
  // A false listing of files that nobody must upload would be a result that nobody can fetch.
  if ((sizeBytes === 0) !== (sha256 === emptySha256)) throw malformed(path, 'has a size that its hash contradicts');
  return { path: name, sizeBytes, sha256 };
}

function readFailure(value: unknown, path: string): BodyFailure {
  const failure = record(value, path, ['replica', 'reason']);
  const reason = failure['reason'];
  if (typeof reason !== 'string' || reason.length > limits.failureReasonChars) {
    throw malformed(`${path}.reason`, `must be text of at most ${limits.failureReasonChars} characters`);
  }
  return { replica: replica(failure['replica'], path), reason: reason.replaceAll('\0', '') };
}

function record(value: unknown, path: string, keys: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'must be an object');
  for (const key of Object.keys(value)) if (!keys.includes(key)) throw malformed(`${path}.${key}`, 'is not known');
  return value as Json;
}

function list<T>(value: unknown, path: string, max: number, read: (item: unknown, path: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw malformed(path, 'must be a list');
  if (value.length > max) throw malformed(path, `has more than ${max} items`);
  return value.map((item, index) => read(item, `${path}[${index}]`));
}

function replica(value: unknown, path: string): ReplicaId {
  const id = parseId('replica', value);
  if (id === undefined) throw malformed(path, 'must name a replica');
  return id;
}

function knownJob(value: unknown, path: string): JobId {
  const id = parseId('job', value);
  if (id === undefined) throw malformed(path, 'must name a job');
  return id;
}

function hash(value: unknown, path: string): Sha256Hex {
  const hex = parseSha256(value);
  if (hex === undefined) throw malformed(path, 'must be 64 lower-case hex digits');
  return hex;
}

function whole(value: unknown, path: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw malformed(path, `must be a whole number from ${min} to ${max}`);
  }
  return value + 0;
}

function malformed(path: string, message: string): Error {
  return refuse('request.malformed', `${path || 'the body'} ${message}`, { path });
}
