/** What the worker holds of each replica, and what it has to tell the server next. No I/O. */

import type { ExchangeRequest, Reveal } from '@assay/client';
import {
  limits,
  statementsRoot,
  toHex,
  utf8,
  type ReplicaId,
  type ResultStatement,
  type Sha256Hex,
  type WorkerId,
} from '@assay/core';
import { sha256 } from './device-key.ts';
import type { Result, ShelvedReplica } from './replica-shelf.ts';

/**
 * `running` → `ready` (result on the shelf) → `committed` (the server has the commitment) → `uploading` (told to reveal)
 * → `shown` (outputs are with the server) → gone.
 */
type Phase = 'running' | 'ready' | 'committed' | 'uploading' | 'shown';

export interface Holding {
  readonly replica: ReplicaId;
  phase: Phase;
  /** Ends the run. */
  readonly abort: AbortController;
  shelved?: Required<ShelvedReplica>;
  uploads: number;
}

interface Report {
  readonly body: ExchangeRequest;
  readonly root: Sha256Hex;
}

/** What a report's answer makes the worker do. */
interface Effects {
  /** Told to reveal: upload the outputs. */
  readonly upload: readonly Holding[];
  /** Over, for better or worse: take it off the shelf. */
  readonly drop: readonly ReplicaId[];
  /** Refusals that somebody should read. */
  readonly notes: readonly string[];
}

interface Answer {
  readonly reveal: readonly ReplicaId[];
  readonly stop: readonly ReplicaId[];
  readonly refused: readonly { readonly replica: ReplicaId; readonly code: string }[];
}

export interface Holdings {
  get(replica: ReplicaId): Holding | undefined;
  all(): readonly Holding[];
  take(replica: ReplicaId): Holding;
  /** A finished run, or one that the shelf kept over a restart. */
  finish(shelved: Required<ShelvedReplica>): void;
  fail(replica: ReplicaId, reason: string): void;
  forget(replica: ReplicaId): void;
  running(): ReplicaId[];
  /** Commitments, reveals or failures wait to be told. */
  hasNews(): boolean;
  /** At most `maxItems` of each kind. */
  report(maxItems: number): Report;
  /** Applies the answer to `sent`. */
  heard(sent: ExchangeRequest, answer: Answer): Effects;
}

/** Holdings of one worker, empty. */
export function holdings(worker: WorkerId): Holdings {
  const held = new Map<ReplicaId, Holding>();
  const failures = new Map<ReplicaId, string>();
  const inPhase = (...phases: readonly Phase[]) =>
    [...held.values()].filter((holding) => phases.includes(holding.phase));
  const take = (replica: ReplicaId): Holding => {
    const holding: Holding = { replica, phase: 'running', abort: new AbortController(), uploads: 0 };
    held.set(replica, holding);
    return holding;
  };
  const running = () =>
    inPhase('running', 'ready')
      .map((holding) => holding.replica)
      .slice(0, limits.workerReplicas);
  return {
    get: (replica) => held.get(replica),
    all: () => [...held.values()],
    take,
    finish(shelved) {
      const holding = held.get(shelved.replica) ?? take(shelved.replica);
      holding.shelved = shelved;
      holding.phase = 'ready';
    },
    fail(replica, reason) {
      held.delete(replica);
      failures.set(replica, reason.slice(0, limits.failureReasonChars));
    },
    forget(replica) {
      held.delete(replica);
      failures.delete(replica);
    },
    running,
    hasNews: () => failures.size > 0 || inPhase('ready', 'shown').length > 0,
    report: (maxItems) => compose(worker, inPhase, failures, running(), Math.min(maxItems, limits.exchangeItems)),
    heard: (sent, answer) => hear(held, failures, sent, answer),
  };
}

function compose(
  worker: WorkerId,
  inPhase: (phase: Phase) => Holding[],
  failures: ReadonlyMap<ReplicaId, string>,
  running: readonly ReplicaId[],
  maxItems: number,
): Report {
  const ready = inPhase('ready').flatMap((holding) => holding.shelved ?? []);
  const commits = ready.slice(0, maxItems).map(({ replica, result }) => ({ replica, commitment: result.commitment }));
  const reveals: Reveal[] = [];
  const statements: ResultStatement[] = [];
  let bytes = 0;
  for (const { shelved } of inPhase('shown').slice(0, maxItems)) {
    if (!shelved) continue;
    const reveal = revealOf(shelved.replica, shelved.result);
    bytes += JSON.stringify(reveal).length;
    if (reveals.length > 0 && bytes > limits.workerReportBytes) break;
    reveals.push(reveal);
    statements.push(statementOf(worker, shelved));
  }
  const failed = [...failures].slice(0, maxItems).map(([replica, reason]) => ({ replica, reason }));
  return {
    body: { commits, reveals, failures: failed, running, claim: 0, waitMs: 0 },
    root: statementsRoot(sha256, commits, statements),
  };
}

function revealOf(replica: ReplicaId, result: Result): Reveal {
  const { nonce, exitCode, outputs, metrics, usage, breach } = result;
  const { wallMs, cpuMs, peakBytes } = usage;
  const whole = { wallMs: Math.round(wallMs), cpuMs: Math.round(cpuMs), peakBytes: Math.round(peakBytes) };
  return {
    replica,
    nonce,
    exitCode,
    outputs,
    ...(metrics === null ? {} : { metrics }),
    usage: whole,
    ...(breach === undefined ? {} : { breach }),
  };
}

/** What the device signs about a result. */
function statementOf(worker: WorkerId, shelved: Required<ShelvedReplica>): ResultStatement {
  const { job, unit, replica, result } = shelved;
  const { machineClass, digest, exitCode } = result;
  const metrics = result.metrics === null ? null : (toHex(sha256(utf8(result.metrics))) as Sha256Hex);
  return { job, unit, replica, worker, machineClass, digest, exitCode, metrics };
}

function hear(
  held: Map<ReplicaId, Holding>,
  failures: Map<ReplicaId, string>,
  sent: ExchangeRequest,
  answer: Answer,
): Effects {
  const upload: Holding[] = [];
  const drop: ReplicaId[] = [];
  const notes: string[] = [];
  const codes = new Map(answer.refused.map(({ replica, code }) => [replica as string, code]));
  const end = (replica: ReplicaId) => {
    held.get(replica)?.abort.abort();
    held.delete(replica);
    drop.push(replica);
  };
  const sentOf = (items: readonly { readonly replica: string }[]) =>
    items.flatMap((item) => held.get(item.replica as ReplicaId) ?? []);
  for (const holding of sentOf(sent.commits)) {
    const code = codes.get(holding.replica);
    if (code === undefined) {
      if (holding.phase === 'ready') holding.phase = 'committed';
    } else {
      notes.push(`the commitment of ${holding.replica} was refused: ${code}`);
      end(holding.replica);
    }
  }
  for (const holding of sentOf(sent.reveals)) {
    const code = codes.get(holding.replica);
    if (code === 'replica.reveal_closed') holding.phase = 'committed';
    else if (code === 'replica.output_missing' && holding.uploads < limits.workerUploadAttempts) upload.push(holding);
    else {
      if (code !== undefined) notes.push(`the result of ${holding.replica} was refused: ${code}`);
      end(holding.replica);
    }
  }
  for (const { replica } of sent.failures) {
    failures.delete(replica as ReplicaId);
    drop.push(replica as ReplicaId);
  }
  for (const replica of answer.stop) end(replica);
  for (const replica of answer.reveal) {
    const holding = held.get(replica);
    if (!holding) failures.set(replica, 'worker_forgot');
    else if (holding.phase === 'committed') upload.push(holding);
  }
  for (const holding of upload) holding.phase = 'uploading';
  return { upload, drop, notes };
}
