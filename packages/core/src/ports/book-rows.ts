/** What the journal, the boxes and the checks of the books hold. */

import type { EscrowState } from '../escrow.ts';
import type { Sha256Hex } from '../hash.ts';
import type { JobId } from '../ids.ts';
import type { JobState } from '../job.ts';
import type { Money } from '../money.ts';
import type { SourceExchange, SourcePayee, SourceUnit } from '../receipt-assembly.ts';
import type { JobRow } from './trade-rows.ts';

/** An account of the journal; its currency is that of the amount that moves. */
export interface JournalAccount {
  readonly kind:
    | 'psp_asset'
    | 'escrow'
    | 'worker_payable'
    | 'payout_in_flight'
    | 'refund_in_flight'
    | 'customer_credit'
    | 'commission'
    | 'psp_fee'
    | 'loss'
    | 'suspense';
  readonly ref: string;
}

export interface JournalPosting {
  readonly debit: JournalAccount;
  readonly credit: JournalAccount;
  readonly amount: Money;
}

/** One cause, one entry: the same key books once, and refuses `idempotency.key_reused` for other content. */
export interface JournalEntry {
  readonly key: string;
  readonly kind: string;
  readonly job: JobId | null;
  readonly cause: Readonly<Record<string, string>>;
  readonly postings: readonly JournalPosting[];
}

/** One posting as people read it. */
export interface JournalLine {
  readonly atMs: number;
  readonly kind: string;
  readonly entry: string;
  readonly debit: JournalAccount;
  readonly credit: JournalAccount;
  readonly amount: Money;
}

/** A message to the outside that waits for, or is in, its sending. */
export interface OutboxMessage {
  readonly id: bigint;
  readonly kind: 'ledger' | 'payment' | 'payout' | 'refund';
  readonly op: string;
  readonly ref: string;
  readonly key: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  /** The outcome of an earlier sending is not known. */
  readonly inDoubt: boolean;
  /** Milliseconds since the first sending. */
  readonly ageMs: number;
  /** Proves that the lease is still ours. */
  readonly fence: bigint;
}

/**
 * `retry`: a definite no that may pass. `unknown`: the outcome is open, only the same key may be sent again. `human`:
 * nobody but an operator may go on.
 */
export type OutboxResult =
  | { readonly kind: 'done'; readonly providerId?: string }
  | { readonly kind: 'failed' | 'human'; readonly error: string }
  | { readonly kind: 'retry' | 'unknown'; readonly error: string };

export interface InboxMessage {
  readonly id: bigint;
  readonly source: string;
  readonly eventKey: string;
  readonly notice: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  readonly fence: bigint;
}

/** Where the three books contradict themselves or each other. */
export interface BooksFault {
  readonly rule: string;
  readonly ref: string;
  readonly text: string;
}

/** A job's standing in the job tables and the escrow, to compare with the ledger. */
export interface JobStanding {
  readonly job: JobId;
  readonly state: JobState;
  readonly escrow: EscrowState | null;
  /** Calls about the job that the ledger has not answered. */
  readonly ledgerPending: boolean;
}

/** What the rows tell a receipt; the proofs come from the ledger. */
export interface ReceiptEvidence {
  readonly job: JobRow;
  readonly exchanges: readonly SourceExchange[];
  readonly units: readonly SourceUnit[];
  readonly payees: readonly SourcePayee[];
  /** What the ledger committed about the job, in order, as `Contract.function`. */
  readonly calls: readonly { readonly call: string; readonly txId: Sha256Hex }[];
}
