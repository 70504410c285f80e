/**
 * What buying, holding and paying need from the store. All books of one `TradeTx` change in one database transaction.
 * Locks are taken in the order transfer, job, escrow and journal.
 */

import type { EscrowState } from '../escrow.ts';
import type { AccountId, DisputeId, JobId, PayoutId, UnitId } from '../ids.ts';
import type { Currency, Money } from '../money.ts';
import type { Region } from './object-store.ts';
import type {
  BooksFault,
  InboxMessage,
  JobStanding,
  JournalEntry,
  JournalLine,
  OutboxMessage,
  OutboxResult,
  ReceiptEvidence,
} from './book-rows.ts';
import type {
  DisputeRow,
  DisputeRuling,
  Earning,
  JobRow,
  JobStep,
  NewJob,
  NewTransfer,
  Payee,
  Debt,
  PayoutShare,
  TransferChange,
  TransferId,
  TransferRow,
  WorkerRecord,
} from './trade-rows.ts';

export interface JobBook {
  /** Stores the job; false when the customer's idempotency key is taken. */
  add(job: NewJob): Promise<boolean>;
  find(id: JobId): Promise<JobRow | undefined>;
  findByKey(customer: AccountId, idempotencyKey: string): Promise<JobRow | undefined>;
  /** The job under its lock. */
  lock(id: JobId): Promise<JobRow | undefined>;
  /** Those of `ids` that exist, locked in the order of their ids. */
  lockAll(ids: readonly JobId[]): Promise<readonly JobRow[]>;
  /** Changes the row, stamps it with the database's time and tells the change feed. */
  step(id: JobId, step: JobStep): Promise<void>;
  /** Makes the work units of a job that was just funded, by ordinal, and lets workers claim them. */
  openUnits(job: JobRow, units: readonly UnitId[]): Promise<void>;
  /** Unpaid jobs whose time is over, locked; skips what others have locked. */
  expired(limit: number): Promise<readonly JobId[]>;
  /** Why a customer may not order or pay any more; undefined where it may. */
  ban(customer: AccountId): Promise<string | undefined>;
  /** Verified jobs whose window is over and whose release was not requested, locked; skips what others have locked. */
  due(limit: number): Promise<readonly JobId[]>;
}

export interface TransferBook {
  add(transfer: NewTransfer): Promise<void>;
  find(id: TransferId): Promise<TransferRow | undefined>;
  lock(id: TransferId): Promise<TransferRow | undefined>;
  /** By the provider's id of it; unlocked. */
  findByProvider(region: Region, kind: TransferRow['kind'], providerId: string): Promise<TransferRow | undefined>;
  change(id: TransferId, change: TransferChange): Promise<void>;
  ofJob(job: JobId): Promise<readonly TransferRow[]>;
  /** What a payout pays of each job, with the job's customer. */
  sharesOf(payout: PayoutId): Promise<readonly (PayoutShare & { readonly customer: AccountId })[]>;
  /** Movements that a provider was last asked about `ageMs` ago and that may still change; notes that they are asked. */
  underWay(ageMs: number, limit: number): Promise<readonly TransferRow[]>;
}

/** When money may move on: the end of the challenge window, and when the payment provider hands the money over. */
export interface EscrowTimes {
  readonly releaseDueAtMs?: number;
  readonly fundsAvailableAtMs?: number;
}

export interface MoneyBook {
  post(entry: JournalEntry): Promise<'booked' | 'already'>;
  /** The same for many; one that is refused refuses all. */
  postAll(entries: readonly JournalEntry[]): Promise<void>;
  openEscrow(job: JobId, amount: Money): Promise<void>;
  /** Moves the job's escrow along its table; refuses `escrow.wrong_state` or `escrow.window_open`. */
  moveEscrow(job: JobId, from: EscrowState, to: EscrowState, times?: EscrowTimes): Promise<void>;
  balance(kind: 'worker_payable' | 'customer_credit' | 'escrow', ref: string, currency: Currency): Promise<Money>;
  /** Every posting that moved money of the job, oldest first, its share of payouts that cover several jobs. */
  timeline(job: JobId): Promise<readonly JournalLine[]>;
}

export interface EarningBook {
  /** How each worker's replicas of the job ended, by worker. */
  records(job: JobId): Promise<readonly WorkerRecord[]>;
  /** Adds how the replicas of a job that has ended ended to what is known of its workers. */
  remember(records: readonly WorkerRecord[]): Promise<void>;
  /** Each payee's gross turnover of the month (of UTC) that `atMs` is in, locked by payee. */
  lockTurnover(payees: readonly AccountId[], currency: Currency, atMs: number): Promise<ReadonlyMap<AccountId, Money>>;
  /** Stores earnings of that time once per job and payee, and adds to the turnover that was locked for it. */
  add(earnings: readonly (Earning & { readonly job: JobId })[], atMs: number): Promise<void>;
  /** Queues what is owed for a payout in `delayMs`. */
  owe(debts: readonly Debt[], delayMs: number): Promise<void>;
  /**
   * Payees with a working account and debts that are due, with all of these; locks the debts. An account in one of
   * `regions` is preferred to others.
   */
  payees(limit: number, regions: readonly Region[]): Promise<readonly Payee[]>;
  /** Leaves debts alone for `delayMs`. */
  postpone(payee: AccountId, jobs: readonly JobId[], delayMs: number): Promise<void>;
  /** Takes what was owed out of the queue. */
  take(payee: AccountId, jobs: readonly JobId[]): Promise<void>;
  /** A payout was refused by the account's own fault: it is used no more until it is changed. */
  disableDestination(payee: AccountId, destination: string, why: string): Promise<void>;
}

export interface DisputeBook {
  /** Refuses `dispute.exists` for a second open one. */
  open(dispute: { id: DisputeId; job: JobId; openedBy: AccountId; reason: string }): Promise<void>;
  lock(id: DisputeId): Promise<DisputeRow | undefined>;
  resolve(id: DisputeId, ruling: DisputeRuling): Promise<void>;
  /** The latest of the job. */
  ofJob(job: JobId): Promise<DisputeRow | undefined>;
}

export interface OutboxQuery {
  readonly kinds: readonly OutboxMessage['kind'][];
  readonly limit: number;
  readonly ref?: string;
}

export interface Outbox {
  /** Adds once per key. Messages of kind `ledger` with one ref leave in the order in which they were added. */
  add(message: Pick<OutboxMessage, 'kind' | 'op' | 'ref' | 'key' | 'request'>): Promise<void>;
  /** Leases messages that are ready, in order; with `ref` only those of that ref. */
  claim(query: OutboxQuery): Promise<readonly OutboxMessage[]>;
  /** Stores the outcome; false when the lease was lost, and then nothing is stored. */
  finish(message: OutboxMessage, result: OutboxResult): Promise<boolean>;
}

export interface Inbox {
  /** Stores a verified message once; false when it was there before. */
  receive(message: {
    source: string;
    eventKey: string;
    raw: Uint8Array;
    headers: Readonly<Record<string, string>>;
    notice: Readonly<Record<string, string | number>>;
  }): Promise<boolean>;
  claim(limit: number): Promise<readonly InboxMessage[]>;
  /** `parked`: not for us to understand yet, tried again later; `ignored`: of no concern. False when the lease was lost. */
  finish(message: InboxMessage, result: 'done' | 'ignored' | 'parked'): Promise<boolean>;
}

export interface Trail {
  /** The position up to which facts were followed, under its lock. */
  checkpoint(name: string): Promise<bigint>;
  moveCheckpoint(name: string, position: bigint): Promise<void>;
  /** Tells the live views that something changed. */
  change(event: {
    kind: string;
    job: JobId | null;
    account: AccountId | null;
    data: Readonly<Record<string, unknown>>;
  }): Promise<void>;
  audit(event: { actor: string; action: string; ref: string; data: Readonly<Record<string, unknown>> }): Promise<void>;
  nowMs(): Promise<number>;
}

/** One transaction over all books. */
export interface TradeTx {
  readonly jobs: JobBook;
  readonly transfers: TransferBook;
  readonly money: MoneyBook;
  readonly earnings: EarningBook;
  readonly disputes: DisputeBook;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly trail: Trail;
}

/** What wakes a waiting process. */
export type TradeChannel = 'outbox' | 'inbox' | 'facts';

export interface TradeStore {
  /** Runs `run` in one transaction; a lost race runs again, so `run` has no effects of its own. */
  transaction<T>(run: (tx: TradeTx) => Promise<T>): Promise<T>;
  listen(channel: TradeChannel, wake: () => void): Promise<{ close(): Promise<void> }>;
  /** What contradicts itself in journal, escrows and job tables; empty when all is well. */
  checkBooks(): Promise<readonly BooksFault[]>;
  /** Each job's state and that of its escrow, by id from `after` on. */
  standings(after: JobId | null, limit: number): Promise<readonly JobStanding[]>;
  /** What a receipt of the job is made from, in one consistent view. */
  receiptSource(job: JobId): Promise<ReceiptEvidence | undefined>;
}
