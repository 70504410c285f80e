/** What lies on the ledger: keys and records. Facts, hashes, time stamps, counters and the timer; no personal data. */

import {
  canonicalJson,
  refuse,
  utf8,
  type CanonicalValue,
  type JobId,
  type Sha256Hex,
  type WorkerId,
} from '@assay/core';
import type { Call } from './call.ts';
import type { ContractState, EscrowStatus } from './states.ts';

/** What a listing says about a job. */
export type ListingDetails = {
  readonly manifestHash: Sha256Hex;
  readonly bundleDigest: Sha256Hex;
  /** What the job costs at most, as `termsHash` of the core hashes it. */
  readonly termsHash: Sha256Hex;
  /** SHA-256 of requirements.txt, to audit differences between runs (D13). */
  readonly requirementsHash: Sha256Hex | null;
  readonly region: string;
  readonly runner: string;
  readonly verification: string;
  readonly redundancy: number;
  readonly units: number;
  /** Where the objects are stored (D8). */
  readonly storage: string;
};

export type ContractRecord = {
  readonly id: JobId;
  readonly state: ContractState;
  readonly details: ListingDetails;
  /** How many batches of results `submitWork` recorded. */
  readonly batches: number;
  readonly listedAtMs: number;
  readonly changedAtMs: number;
};

/** As version 1 stores it. */
type EscrowRecordV1 = {
  readonly job: JobId;
  readonly status: EscrowStatus;
  readonly startedAtMs: number | null;
  readonly deadlineMs: number | null;
};

type EscrowRecordV2 = EscrowRecordV1 & {
  readonly v: 2;
  /** The least length that the rule asked for when the window opened; null before, and where version 1 opened it. */
  readonly leastMs: number | null;
};

export type EscrowRecord = EscrowRecordV1 | EscrowRecordV2;

export type ReputationRecord = {
  readonly worker: WorkerId;
  readonly agreed: number;
  readonly disagreed: number;
  readonly lost: number;
  readonly slashed: number;
};

/** Where an idempotency key is noted that came with a proposal: by organisation and key, the value its transaction. */
export const doneKeyType = 'done';

type Kind =
  | 'contract'
  | 'open'
  | 'claim'
  | 'work'
  | 'escrow'
  | 'reputation'
  | 'recorded'
  | 'rule'
  | 'vote'
  | typeof doneKeyType;

/** The composite key of a record. */
export function keyOf(ctx: Call, kind: Kind, ...attributes: readonly string[]): string {
  return ctx.stub.createCompositeKey(kind, [...attributes]);
}

/** The record under `key`, or undefined; Fabric answers a missing key with nothing at all. */
export async function readRecord<Stored>(ctx: Call, key: string): Promise<Stored | undefined> {
  const bytes = await ctx.stub.getState(key);
  return bytes.length === 0 ? undefined : recordIn<Stored>(ctx, bytes);
}

/**
 * The record in stored bytes. One that a newer version wrote says so in `v`; older contracts refuse it with
 * `ledger.newer_state`, since they might drop what they do not know.
 */
export function recordIn<Stored>(ctx: Call, bytes: Uint8Array): Stored {
  const record = JSON.parse(new TextDecoder().decode(bytes)) as Stored & { readonly v?: number };
  const { v = 1 } = record;
  if (v > ctx.version) {
    throw refuse('ledger.newer_state', `version ${v} of the contracts wrote this, and this is version ${ctx.version}`);
  }
  return record;
}

/** Writes canonical JSON. A later read in the same transaction still sees the committed record. */
export async function writeRecord(ctx: Call, key: string, value: CanonicalValue): Promise<void> {
  await ctx.stub.putState(key, utf8(canonicalJson(value)));
}

/** The contract; refuses `job.not_found`. */
export async function contractOf(ctx: Call, id: JobId): Promise<ContractRecord> {
  const record = await readRecord<ContractRecord>(ctx, keyOf(ctx, 'contract', id));
  if (record === undefined) throw refuse('job.not_found', 'no such contract is listed');
  return record;
}

/**
 * The contract's escrow, which is NONE before the contract is funded. What version 1 wrote is read as version 2 has it, and
 * stored so when it moves.
 */
export async function escrowOf(ctx: Call, job: JobId): Promise<EscrowRecord> {
  const stored = await readRecord<EscrowRecord>(ctx, keyOf(ctx, 'escrow', job));
  const record = stored ?? { job, status: 'NONE', startedAtMs: null, deadlineMs: null };
  return ctx.version === 1 ? record : { leastMs: null, ...record, v: 2 };
}

/**
 * The transaction's time in milliseconds. It is the clock of the client that proposed the transaction: on Fabric the
 * orderer only bounds it to some minutes, and here it is the database's clock, which the orchestrator runs. So it
 * stamps records and keeps an honest orchestrator from paying early by mistake; it does not bind a dishonest one. With
 * several organisations an endorser of another one must compare it with a clock of its own before it signs.
 */
export function timeMsOf(ctx: Call): number {
  const { seconds, nanos } = ctx.stub.getTxTimestamp();
  return Number(seconds.toString()) * 1000 + Math.trunc(nanos / 1_000_000);
}
