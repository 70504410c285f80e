/** Reads what the server answers as strictly as the server reads workers: nothing of it touches the disk unchecked. */

import type { ExchangeResponse, JobSpec, Offer } from '@assay/client';
import {
  isNetworkTarget,
  isSafePath,
  limits,
  parseId,
  parseSha256,
  type JobId,
  type NetworkTarget,
  type ReplicaId,
  type Tree,
  type UnitId,
} from '@assay/core';

/** An offer whose every part was checked. */
export interface CheckedOffer {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly kind: 'work' | 'merge';
  readonly ordinal: number;
  readonly machineClass: string;
  readonly spec: JobSpec;
  /** The script to run. */
  readonly entryPoint: string;
  /** The bundle's files and, for a merge, the agreed outputs below `inputs/`. */
  readonly inputs: Tree;
}

export interface CheckedReply {
  readonly offers: readonly CheckedOffer[];
  /** Offers that this worker will not touch, with the reason. */
  readonly declined: readonly { readonly replica: ReplicaId; readonly reason: string }[];
  readonly reveal: readonly ReplicaId[];
  readonly stop: readonly ReplicaId[];
  readonly refused: readonly { readonly replica: ReplicaId; readonly code: string }[];
}

/** Thrown inside for an answer or an offer that is not as agreed. */
class Unsound extends Error {}

/** Reads an answer; parts that make no sense are left out, an unsound offer is declined. */
export function checkReply(value: unknown): CheckedReply {
  const reply = (typeof value === 'object' && value !== null ? value : {}) as Partial<ExchangeResponse>;
  const offers: CheckedOffer[] = [];
  const declined: { replica: ReplicaId; reason: string }[] = [];
  for (const offer of list(reply.offers, limits.exchangeItems)) {
    const replica = parseId('replica', (offer as Partial<Offer> | null)?.replica);
    if (replica === undefined) continue;
    try {
      offers.push(checkOffer(replica, offer as Offer, reply.jobs ?? {}));
    } catch (error) {
      if (!(error instanceof Unsound)) throw error;
      declined.push({ replica, reason: `offer_unsound: ${error.message}` });
    }
  }
  return {
    offers,
    declined,
    reveal: ids(reply.reveal),
    stop: ids(reply.stop),
    refused: list(reply.refused, limits.exchangeItems * 4).flatMap((item) => {
      const { replica, code } = (item ?? {}) as { replica?: unknown; code?: unknown };
      const id = parseId('replica', replica);
      return id === undefined || typeof code !== 'string' ? [] : [{ replica: id, code }];
    }),
  };
}

function checkOffer(replica: ReplicaId, offer: Offer, jobs: Readonly<Record<string, JobSpec>>): CheckedOffer {
  const unit = parseId('unit', offer.unit);
  const job = parseId('job', offer.job);
  if (unit === undefined || job === undefined) throw new Unsound('an id is malformed');
  if (offer.kind !== 'work' && offer.kind !== 'merge') throw new Unsound('the kind is unknown');
  const spec = Object.hasOwn(jobs, job) ? jobs[job] : undefined;
  if (typeof spec !== 'object' || spec === null) throw new Unsound('the job is missing');
  const ordinal = whole(offer.ordinal, 'the ordinal', limits.chunks);
  const { machineClass } = offer;
  if (typeof machineClass !== 'string') throw new Unsound('the machine class is missing');
  checkSpec(spec);
  const entryPoint = offer.kind === 'merge' ? spec.mergeScript : spec.entryPoint;
  if (typeof entryPoint !== 'string' || !isSafePath(entryPoint)) throw new Unsound('the entry point is not safe');
  const bundle = tree(spec.bundle, 'the bundle', bundleBounds);
  const merged = offer.kind === 'merge' ? tree(offer.inputs ?? [], 'the inputs', mergeBounds) : [];
  const inputs = [...bundle.filter((file) => merged.length === 0 || !file.path.startsWith('inputs/')), ...merged];
  return { replica, unit, job, kind: offer.kind, ordinal, machineClass, spec, entryPoint, inputs };
}

function checkSpec(spec: JobSpec): void {
  if (typeof spec.runner !== 'string' || spec.runner.length > 200) throw new Unsound('the runner is malformed');
  if (!isSafePath(outputFolder(spec))) throw new Unsound('the output folder is not safe');
  const args = list(spec.args, limits.args + 1);
  if (args.length > limits.args || !args.every((arg) => typeof arg === 'string' && arg.length <= limits.argChars)) {
    throw new Unsound('the arguments are malformed');
  }
  whole(spec.timeoutMs, 'the time limit', limits.timeoutHours * 3_600_000);
  whole(spec.chunks, 'the number of units', limits.chunks);
  if (spec.randomSeed !== null && !Number.isSafeInteger(spec.randomSeed)) throw new Unsound('the seed is malformed');
  const memoryGb: unknown = spec.resources?.memoryGb;
  if (typeof memoryGb !== 'number' || !(memoryGb > 0 && memoryGb <= limits.memoryGb)) {
    throw new Unsound('the memory is malformed');
  }
  const targets = list(spec.network, limits.networkTargets + 1);
  if (targets.length > limits.networkTargets || !targets.every(isTarget)) {
    throw new Unsound('the network is malformed');
  }
  if (typeof spec.verification?.type !== 'string') throw new Unsound('the verification is malformed');
}

/** As strict as the manifest: what a driver lets a unit out to is never an address. */
function isTarget(value: unknown): value is NetworkTarget {
  const { host, port } = (value ?? {}) as Partial<NetworkTarget>;
  return typeof host === 'string' && isNetworkTarget(`${host}:${String(port)}`);
}

/** The output folder without the slash that manifests write behind it. */
export function outputFolder(spec: JobSpec): string {
  return spec.outputDir.replace(/\/$/, '');
}

interface TreeBounds {
  readonly prefix: string;
  readonly files: number;
  readonly bytes: number;
}

const bundleBounds: TreeBounds = { prefix: '', files: limits.bundleFiles, bytes: limits.bundleUnpackedBytes };
const mergeBounds: TreeBounds = { prefix: 'inputs/', files: limits.mergeInputFiles, bytes: limits.mergeInputBytes };

function tree(value: unknown, what: string, bounds: TreeBounds): Tree {
  const files = list(value, bounds.files + 1);
  if (files.length > bounds.files) throw new Unsound(`${what} has too many files`);
  const seen = new Set<string>();
  let totalBytes = 0;
  return files.map((entry) => {
    const file = (entry ?? {}) as { path?: unknown; sizeBytes?: unknown; sha256?: unknown };
    const path = typeof file.path === 'string' ? file.path : '';
    const hash = parseSha256(file.sha256);
    const sound = isSafePath(path) && path.startsWith(bounds.prefix) && !seen.has(path.toLowerCase());
    if (!sound) throw new Unsound(`${what} has an unsafe path`);
    if (hash === undefined) throw new Unsound(`${what} has a malformed hash`);
    seen.add(path.toLowerCase());
    const sizeBytes = whole(file.sizeBytes, `a size in ${what}`, limits.bundleFileBytes);
    totalBytes += sizeBytes;
    if (totalBytes > bounds.bytes) throw new Unsound(`${what} is too large`);
    return { path, sizeBytes, sha256: hash };
  });
}

function whole(value: unknown, what: string, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new Unsound(`${what} is out of range`);
  }
  return value;
}

function list(value: unknown, max: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, max) : [];
}

function ids(value: unknown): ReplicaId[] {
  return list(value, limits.workerReplicas * 4).flatMap((item) => parseId('replica', item) ?? []);
}
