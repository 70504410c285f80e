/** Runs one offered unit in the sandbox and puts its result on the shelf, ready to be committed. */

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  commitmentOf,
  exitCodeOf,
  Fault,
  limits,
  outputBounds,
  parseSha256,
  Refusal,
  toHex,
  treeDigest,
  unmergeablePath,
  type InputFile,
  type LogSink,
  type SandboxDriver,
  type SandboxOutcome,
  type SandboxUnit,
  type Sha256Hex,
  type Tree,
  type TreeFile,
  type WorkerId,
} from '@assay/core';
import { sha256 } from './device-key.ts';
import type { InputCache } from './input-cache.ts';
import type { ReplicaShelf, Result, ShelvedReplica } from './replica-shelf.ts';
import { outputFolder, type CheckedOffer } from './reply.ts';
import type { WorkCalls } from './transport.ts';

/**
 * FOR DEMONSTRATIONS AND TESTS ONLY: makes the worker dishonest. Given a finished unit and its output files by path, it
 * answers the files to claim instead, or undefined to stay honest.
 */
export type Lie = (
  unit: Pick<CheckedOffer, 'job' | 'unit' | 'replica' | 'kind' | 'ordinal'>,
  files: ReadonlyMap<string, Uint8Array>,
) => ReadonlyMap<string, Uint8Array> | undefined;

export interface RunDeps {
  readonly worker: WorkerId;
  readonly calls: WorkCalls;
  readonly driver: SandboxDriver;
  readonly cache: InputCache;
  readonly shelf: ReplicaShelf;
  /** The most cores that the owner leaves to one unit, where that is less than it may ask for. */
  readonly mostCores?: number;
  /** Whether the sandboxes of this machine are of that class. */
  readonly computes: (machineClass: string) => boolean;
  /** Whether the owner lets units connect to the hosts of their manifest. */
  readonly egress: boolean;
  readonly lie?: Lie;
}

/** A shelved result, or why there is none: then the replica is given back and nobody loses reputation. */
export type RunEnd = { readonly done: Required<ShelvedReplica> } | { readonly failed: string };

/** Where the clock of a seeded unit starts: 2026-01-01T00:00:00Z. */
const seededEpochMs = 1_767_225_600_000;

/** Runs the unit to its end; never rejects for what the unit, the server or the sandbox does. */
export async function runReplica(deps: RunDeps, offer: CheckedOffer, log: LogSink, stop: AbortSignal): Promise<RunEnd> {
  try {
    if ((offer.spec.network?.length ?? 0) > 0 && !deps.egress) return { failed: 'worker_no_egress' };
    // Signed with the result, so it must be true: the runner may have changed since the claim.
    if (!deps.computes(offer.machineClass)) return { failed: 'worker_other_class' };
    await deps.shelf.put({ replica: offer.replica, unit: offer.unit, job: offer.job });
    const inputs = await deps.cache.hold(offer.inputs, (hash) => deps.calls.getObject(offer.replica, hash));
    try {
      const outcome = await deps.driver.run(sandboxUnit(offer, inputs.files, deps.mostCores), log, stop);
      try {
        return await shelve(deps, offer, withinMerge(offer, outcome, log));
      } finally {
        await outcome.release();
      }
    } finally {
      inputs.release();
    }
  } catch (error) {
    return { failed: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Refusal || error instanceof Fault ? error.code : 'worker_fault';
  return `${code}: ${error instanceof Error ? error.message : String(error)}`.slice(0, limits.failureReasonChars);
}

function sandboxUnit(offer: CheckedOffer, inputs: readonly InputFile[], mostCores?: number): SandboxUnit {
  const { spec, ordinal } = offer;
  const network = spec.network ?? [];
  const memoryBytes = Math.round(spec.resources.memoryGb * 1024 ** 3);
  const seed = spec.randomSeed === null ? undefined : spec.randomSeed + ordinal;
  return {
    label: offer.replica,
    runner: spec.runner,
    entryPoint: offer.entryPoint,
    args: spec.args,
    inputs,
    outputDir: outputFolder(spec),
    environment: {
      ASSAY_UNIT_ORDINAL: String(ordinal),
      ASSAY_UNITS: String(spec.chunks),
      ...(seed === undefined ? {} : { ASSAY_SEED: String(seed) }),
      PYTHONHASHSEED: '0',
      TZ: 'UTC',
      LANG: 'C.UTF-8',
    },
    ...(seed === undefined ? {} : { randomSeed: seed, epochMs: seededEpochMs }),
    ...(network.length > 0 && { network: network.map(({ host, port }) => ({ host, port })) }),
    ...(spec.resources.gpu === true && { gpu: true }),
    limits: {
      wallMs: spec.timeoutMs,
      ...(typeof spec.resources.cpuCores === 'number' && {
        cpuCores: Math.min(spec.resources.cpuCores, mostCores ?? Infinity),
      }),
      memoryBytes,
      scratchBytes: Math.min(limits.sandboxScratchBytes, Math.round(memoryBytes / 2)),
      ...outputBounds({ chunks: spec.chunks, isMerged: isMerged(offer), memoryBytes, bundle: inputs }),
      logBytes: limits.logBytes,
    },
  };
}

/** Whether a merge will read what this unit writes. */
function isMerged({ kind, spec }: CheckedOffer): boolean {
  return kind === 'work' && typeof spec.mergeScript === 'string';
}

/** Outputs that no merge could be given are too much output: every worker says so of them, so the unit is what failed. */
function withinMerge(offer: CheckedOffer, outcome: SandboxOutcome, log: LogSink): SandboxOutcome {
  const path = isMerged(offer) && outcome.ending.kind === 'exit' ? unmergeablePath(outcome.outputs) : undefined;
  if (path === undefined || exitCodeOf(outcome.ending) !== 0) return outcome;
  log('stderr', `too long or too deep a path for a merge: ${JSON.stringify(path)}\n`);
  return { ...outcome, ending: { kind: 'killed', why: 'outputs' }, outputs: [] };
}

async function shelve(deps: RunDeps, offer: CheckedOffer, outcome: SandboxOutcome): Promise<RunEnd> {
  const exitCode = exitCodeOf(outcome.ending);
  if (exitCode === undefined) {
    const { ending } = outcome;
    return { failed: ending.kind === 'infra' ? `sandbox.fault: ${ending.message}`.slice(0, 500) : 'worker_stopping' };
  }
  const { replica, unit, job, machineClass } = offer;
  const outputs = exitCode === 0 ? await keepOutputs(deps, offer, outcome) : [];
  const digest = treeDigest(sha256, outputs);
  const nonce = hexOf(randomBytes(32));
  const result: Result = {
    machineClass,
    nonce,
    commitment: commitmentOf(sha256, { job, unit, worker: deps.worker, nonce, digest }),
    digest,
    exitCode,
    outputs,
    metrics: await metricsText(deps, offer, outputs),
    usage: outcome.usage,
    ...breachOf(outcome),
  };
  const done = { replica, unit, job, result };
  await deps.shelf.put(done);
  return { done };
}

/** Only a unit that was ended for it is accused. */
function breachOf({ ending, evidence }: SandboxOutcome): { breach?: string } {
  const accused = ending.kind === 'killed' && ending.why === 'policy' && evidence.breach !== undefined;
  return accused ? { breach: evidence.breach.slice(0, limits.breachChars) } : {};
}

async function keepOutputs(deps: RunDeps, offer: CheckedOffer, outcome: SandboxOutcome): Promise<Tree> {
  const files = deps.lie ? await lied(deps.lie, offer, outcome) : outcome.outputs;
  for (const file of files) {
    if (file.sizeBytes > 0) {
      const from = join(outcome.outputRoot, file.sha256);
      if (!files.slice(0, files.indexOf(file)).some((other) => other.sha256 === file.sha256)) {
        await deps.shelf.keepOutput(offer.replica, file.sha256, from);
      }
    }
  }
  return files;
}

async function lied(lie: Lie, offer: CheckedOffer, outcome: SandboxOutcome): Promise<Tree> {
  const honest = new Map<string, Uint8Array>();
  for (const file of outcome.outputs) honest.set(file.path, await readFile(join(outcome.outputRoot, file.sha256)));
  const claimed = lie(offer, honest);
  if (claimed === undefined) return outcome.outputs;
  const files: TreeFile[] = [];
  for (const [path, bytes] of claimed) {
    const hash = hexOf(sha256(bytes));
    await writeFile(join(outcome.outputRoot, hash), bytes);
    files.push({ path, sizeBytes: bytes.length, sha256: hash });
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The metrics file's text, null where the job is not judged by it or the unit wrote none that fits. */
async function metricsText(deps: RunDeps, offer: CheckedOffer, outputs: Tree): Promise<string | null> {
  if (offer.spec.verification.type !== 'metric' || offer.kind !== 'work') return null;
  const file = outputs.find((output) => output.path === 'metrics.json');
  if (!file || file.sizeBytes === 0 || file.sizeBytes > limits.metricsFileBytes) return null;
  const bytes = await readFile(deps.shelf.outputPath(offer.replica, file.sha256));
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : null;
}

function hexOf(bytes: Uint8Array): Sha256Hex {
  const hash = parseSha256(toHex(bytes));
  if (hash === undefined) throw new Error('32 bytes');
  return hash;
}
