/** The rows that the exchange of work loads, changes in memory and writes back. */

import type { Sha256Hex } from '../hash.ts';
import type { AccountId, JobId, ReplicaId, RequestId, UnitId, WorkerId } from '../ids.ts';
import type { JobState } from '../job.ts';
import type { Manifest } from '../manifest-shape.ts';
import type { IndependenceKeys } from '../placement.ts';
import type { ReplicaState } from '../replica.ts';
import type { Tree } from '../tree.ts';
import type { UnitKind, UnitState } from '../unit.ts';
import type { Region } from './object-store.ts';

/** A registered device, as far as checking its signature and placing work need to know it. */
export interface WorkerRow {
  readonly id: WorkerId;
  /** ed25519, hex. */
  readonly publicKey: string;
  readonly banned: boolean;
  readonly owner: AccountId;
  readonly payoutAccount: string | null;
  readonly hub: string | null;
  readonly region: Region;
  /** What the worker said about its machine when it registered. */
  readonly machine: unknown;
}

/** The parts of a job that never change once it is funded. */
export interface WorkJobRow {
  readonly id: JobId;
  readonly customer: AccountId;
  /** The normalised manifest. */
  readonly manifest: Manifest;
  readonly bundle: Tree;
  readonly currency: string;
  readonly pricePerReplica: bigint;
  readonly redundancy: number;
}

/** What a worker holds: replicas that are leased or committed. */
export interface WorkDesk {
  readonly worker: WorkerId;
  readonly held: readonly HeldReplica[];
  /** On writing: the worker was heard of. */
  readonly seen?: boolean;
}

/** A replica on a desk, with its unit. */
export interface HeldReplica {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
}

/** A job's counters, read under its lock. */
export interface JobProgress {
  readonly id: JobId;
  readonly state: JobState;
  readonly unitsTotal: number;
  readonly unitsAgreed: number;
  readonly unitsUndecided: number;
  readonly verdicts: number;
  readonly verdictsSubmitted: number;
  readonly verdictsSubmittedAtMs: number | null;
}

export interface UnitRow {
  readonly id: UnitId;
  readonly job: JobId;
  readonly ordinal: number;
  readonly kind: UnitKind;
  readonly position: bigint;
  state: UnitState;
  /** Replicas asked for so far, and how many of them nobody has claimed. */
  planned: number;
  wanted: number;
  patienceOver: boolean;
  machineClass: string | null;
  /** The time to reveal is over. */
  overdue: boolean;
}

export interface ReplicaRow {
  readonly id: ReplicaId;
  readonly unit: UnitId;
  readonly worker: WorkerId;
  readonly owner: AccountId;
  /** As it was when its worker claimed it. */
  readonly machineClass: string;
  state: ReplicaState;
  /** The lease has run out. */
  readonly overdue: boolean;
  commitment: Sha256Hex | null;
  digest: Sha256Hex | null;
  exitCode: number | null;
  metricsSha256: Sha256Hex | null;
  /** The judged value in JavaScript's shortest notation. */
  metric: string | null;
  /** The leaf hash of the revealed statement, where this server has computed it before. */
  leaf?: Sha256Hex;
}

/** Units with all replicas that were ever given out for them. */
export interface LoadedUnits {
  readonly units: readonly UnitRow[];
  readonly replicas: readonly ReplicaRow[];
}

/** Who took a replica of a unit. */
export interface Taken extends IndependenceKeys {
  readonly unit: UnitId;
  /** The replica ended without a result. */
  readonly lost: boolean;
}

/** Open units with the parties that took a replica before. */
export interface OpenUnits {
  readonly units: readonly UnitRow[];
  readonly taken: readonly Taken[];
}

/** A held replica and its unit, read without locks. */
export interface ReplicaGlimpse {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly state: ReplicaState;
  readonly unitState: UnitState;
  /** Its lease, or its time to reveal, is over. */
  readonly overdue: boolean;
  /** Its lease can be renewed no more. */
  readonly isOver: boolean;
}

/** Something in a request that was refused, with the reason. */
export interface RefusedItem {
  readonly replica: ReplicaId;
  readonly code: string;
}

/** An answered request, as its replay answers again. */
export interface ExchangeRow {
  readonly id: RequestId;
  readonly worker: WorkerId;
  readonly bodySha256: Sha256Hex;
  readonly offers: readonly ReplicaId[];
  readonly refused: readonly RefusedItem[];
}

/** The evidence of one request, stored once. */
export interface NewExchange extends ExchangeRow {
  readonly sentAtMs: number;
  readonly statementsRoot: Sha256Hex;
  /** ed25519, hex. */
  readonly signature: string;
  /** The 32-byte leaf hashes of the statements, in order, as one hex text. */
  readonly leafHashes: string;
}

/** A replica that was just given out. */
export interface ClaimRow extends IndependenceKeys {
  readonly replica: ReplicaId;
  /** How many replicas of the unit its owner lost before: with the owner and the unit it is unique. */
  readonly attempt: number;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly machineClass: string;
  /** Up to when its lease can be renewed. */
  readonly runUntilMs: number;
}

export interface CommitRow {
  readonly replica: ReplicaId;
  readonly commitment: Sha256Hex;
  readonly request: RequestId;
  readonly leaf: number;
}

export interface RevealRow {
  readonly replica: ReplicaId;
  readonly request: RequestId;
  readonly leaf: number;
  readonly nonce: string;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly metricsSha256: Sha256Hex | null;
  readonly metricsText: string | null;
  readonly metric: string | null;
  readonly outputs: Tree;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** `revealed`, or how the verdict of the same transaction ended it. */
  state: ReplicaState;
}

/** The end of a replica that was not revealed in the same transaction; `reason` says why it was lost. */
export interface EndRow {
  readonly replica: ReplicaId;
  readonly state: ReplicaState;
  readonly reason: string | null;
}

/** What changed on a unit; two instants are set by the transaction's time where the flags say so. */
export interface UnitChange {
  readonly row: UnitRow;
  opensReveal: boolean;
  wantsMore: boolean;
}

/** The verdict on a unit. */
export interface DecidedRow {
  readonly unit: UnitId;
  readonly job: JobId;
  /** Counts the verdicts of the job from 1. */
  readonly number: number;
  readonly digest: Sha256Hex;
  readonly exitCode: number;
  readonly metric: string | null;
  readonly canonical: ReplicaId;
  readonly agreeing: number;
}

/** What a job's counters gain. */
export interface JobChange {
  readonly job: JobId;
  agreed: number;
  undecided: number;
  running: number;
}

/** A judged unit whose verdict the ledger has not been told, with all its replicas. */
export interface OpenVerdict extends Omit<DecidedRow, 'agreeing'> {
  readonly ordinal: number;
  readonly kind: UnitKind;
  readonly replicas: readonly ReplicaRow[];
}

/** A replica that was offered before, as a replay of its request offers it again. */
export interface OfferRow {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly kind: UnitKind;
  readonly ordinal: number;
  readonly machineClass: string;
  readonly leaseUntilMs: number;
}

/** A range of verdicts that one Contract.submitWork covers. */
export interface VerdictBatch {
  readonly job: JobId;
  readonly first: number;
  readonly last: number;
  readonly proofHash: Sha256Hex;
  readonly resultHash: Sha256Hex;
}
