/**
 * What the exchange of work needs from the store. One transaction loads rows under locks, the market changes them in
 * memory by pure rules, and `write` stores every change at once. Locks are taken in the order desk, unit, job.
 */

import type { Sha256Hex } from '../hash.ts';
import type { BreachReport } from '../breach.ts';
import type { AccountId, JobId, ReplicaId, RequestId, UnitId, WorkerId } from '../ids.ts';
import type { IndependenceKeys } from '../placement.ts';
import type { Tree } from '../tree.ts';
import type {
  ClaimRow,
  CommitRow,
  DecidedRow,
  EndRow,
  ExchangeRow,
  JobChange,
  JobProgress,
  LoadedUnits,
  NewExchange,
  OfferRow,
  OpenUnits,
  OpenVerdict,
  ReplicaGlimpse,
  RevealRow,
  UnitChange,
  VerdictBatch,
  WorkDesk,
  WorkerRow,
  WorkJobRow,
} from './work-rows.ts';

/** What waiting requests must know of a commit, on this server and on others. */
export interface WorkWake {
  /** Workers that may reveal, or must stop something, now. */
  readonly workers: readonly WorkerId[];
  /** Whether units may wait for takers. */
  readonly units: boolean;
}

/** Every row below jobs that one transaction changed. */
export interface WorkChanges {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly revealMs: number;
  readonly exchanges: readonly NewExchange[];
  /** Offers of requests that were stored before and waited. */
  readonly lateOffers: readonly { readonly request: RequestId; readonly offers: readonly ReplicaId[] }[];
  readonly desks: readonly WorkDesk[];
  readonly claims: readonly ClaimRow[];
  readonly renewed: readonly ReplicaId[];
  readonly commits: readonly CommitRow[];
  readonly reveals: readonly RevealRow[];
  readonly ends: readonly EndRow[];
  readonly units: readonly UnitChange[];
  readonly decided: readonly Omit<DecidedRow, 'number'>[];
}

/** What the same transaction does to jobs, once it holds their locks. */
export interface JobAdvance {
  readonly jobs: readonly JobChange[];
  readonly decided: readonly DecidedRow[];
  /** For the change feed. */
  readonly units: readonly UnitChange[];
}

/** A look at the pool of open units, in its order. */
export interface PoolQuery {
  readonly limit: number;
  /** Where the last look of the transaction ended. */
  readonly after?: bigint;
  /** Units that others are about to lock, and that would have to wait for this transaction if it took them. */
  readonly except?: readonly UnitId[];
  /** Only units of these jobs that this party has no replica of: for a worker that the head of the pool cannot feed. */
  readonly taker?: Taker;
}

/** Whom a targeted look at the pool is for. */
export interface Taker {
  readonly keys: IndependenceKeys;
  readonly machineClasses: readonly string[];
  readonly jobs: readonly JobId[];
}

/** A worker's report that a replica of it reached out of its sandbox. */
export interface NewBreach {
  readonly replica: ReplicaId;
  readonly job: JobId;
  readonly what: string;
}

/** A job that workers accuse. */
export interface BreachedJob {
  readonly job: JobId;
  readonly customer: AccountId;
  readonly reports: readonly BreachReport[];
  /** Whose reports these are, in the same order. */
  readonly replicas: readonly ReplicaId[];
}

/** Rows under locks. */
export interface WorkLocks {
  /** The desks of these workers, made where missing, the database's time, and which of these requests were answered before. */
  openDesks(
    workers: readonly WorkerId[],
    requests: readonly RequestId[],
  ): Promise<{
    readonly nowMs: number;
    readonly desks: readonly WorkDesk[];
    readonly replays: readonly ExchangeRow[];
  }>;
  /** Desks of workers that hold something and said nothing for `silenceMs`; skips what others have locked. */
  silentDesks(
    silenceMs: number,
    limit: number,
  ): Promise<{ readonly nowMs: number; readonly desks: readonly WorkDesk[] }>;
  /** Units with all their replicas; those of `late` are read anew, because something of theirs may be overdue. */
  lockUnits(units: readonly UnitId[], nowMs: number, late: ReadonlySet<UnitId>): Promise<LoadedUnits>;
  /** Open units in the order of the pool; skips what others have locked. */
  takePool(query: PoolQuery): Promise<OpenUnits>;
  /** Units whose replacements found no taker for `patienceMs`; skips what others have locked. */
  impatientUnits(patienceMs: number, limit: number): Promise<LoadedUnits & { readonly nowMs: number }>;
  lockJobs(jobs: readonly JobId[]): Promise<readonly JobProgress[]>;
  /** Jobs that were funded `ageMs` ago and have no verdict yet. */
  lateJobs(ageMs: number, limit: number): Promise<readonly JobId[]>;
}

/** Rows without locks. */
export interface WorkReads {
  glimpse(replicas: readonly ReplicaId[], nowMs: number): Promise<readonly ReplicaGlimpse[]>;
  offered(replicas: readonly ReplicaId[]): Promise<readonly OfferRow[]>;
  /** Which of these outputs were uploaded, as `replica/sha256/size`. */
  uploaded(pairs: readonly { readonly replica: ReplicaId; readonly sha256: Sha256Hex }[]): Promise<ReadonlySet<string>>;
  /** Judged units whose verdicts the ledger has not been told, oldest first. */
  openVerdicts(job: JobId, limit: number): Promise<readonly OpenVerdict[]>;
  /** Jobs with verdicts that the ledger should have been told `ageMs` ago. */
  jobsWithOpenVerdicts(ageMs: number, limit: number): Promise<readonly JobId[]>;
  /** Jobs with reports of a breach that were not weighed yet, with all their reports. */
  breachedJobs(limit: number): Promise<readonly BreachedJob[]>;
}

/** Changes. */
export interface WorkWrites {
  /** Stores every change of rows below jobs. */
  write(changes: WorkChanges): Promise<void>;
  /** Stores verdicts and counters of locked jobs and appends to the change feed; may be left to travel with the commit. */
  advance(change: JobAdvance): Promise<void>;
  /** Tells the other servers at commit. */
  wake(wake: WorkWake): Promise<void>;
  /** Records batches and puts their Contract.submitWork into the outbox. */
  submitVerdicts(batches: readonly VerdictBatch[]): Promise<void>;
  /** Makes the merge unit of a job whose work units all agreed. */
  openMerge(job: JobId, unit: UnitId): Promise<void>;
  /** Moves a funded job to verified, opens its challenge window and tells the ledger through the outbox. */
  verifyJob(job: JobId): Promise<void>;
  /**
   * Ends a funded job that reached no verdict, withdraws what runs for it and returns its money; tells who held
   * something of it.
   */
  failJob(job: JobId, failure: { readonly code: string; readonly text: string }): Promise<readonly WorkerId[]>;
  /** Stores reports of a breach, one for a replica. */
  addBreaches(breaches: readonly NewBreach[]): Promise<void>;
  /** Notes that a job's reports were weighed; where they prove a breach, its customer may order no more. */
  weighBreach(breached: BreachedJob, proven: string | undefined): Promise<void>;
}

/** One transaction of the exchange. */
export interface WorkTx extends WorkLocks, WorkReads, WorkWrites {}

/** The store of the exchange. */
export interface WorkStore {
  transaction<T>(run: (tx: WorkTx) => Promise<T>): Promise<T>;
  workers(ids: readonly WorkerId[]): Promise<readonly WorkerRow[]>;
  jobs(ids: readonly JobId[]): Promise<readonly WorkJobRow[]>;
  /** Jobs that have open units, in the order of the pool. */
  openJobs(limit: number): Promise<readonly JobId[]>;
  /** The agreed outputs of a job's work units, as its merge finds them: under `inputs/<ordinal, 4 digits>/`. */
  mergeInputs(job: JobId): Promise<Tree>;
  /** Notes that `worker` stored an output of its replica; refuses `replica.not_found` or `replica.wrong_state`. */
  recordUpload(upload: Upload): Promise<void>;
  /** Calls back with what other servers commit; a broken line reports everything as woken. */
  listen(onWake: (wake: WorkWake | 'all') => void): Promise<{ close(): Promise<void> }>;
}

/** An output file that a worker stored. */
export interface Upload {
  readonly worker: WorkerId;
  readonly replica: ReplicaId;
  readonly sha256: Sha256Hex;
  readonly sizeBytes: number;
}
