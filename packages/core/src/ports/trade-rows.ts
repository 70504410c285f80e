/** The rows that buying, holding and paying load and change. */

import type { CommissionTerms } from '../commission.ts';
import type { Sha256Hex } from '../hash.ts';
import type { AccountId, DisputeId, JobId, PaymentId, PayoutId, RefundId, WorkerId } from '../ids.ts';
import type { JobState } from '../job.ts';
import type { Manifest } from '../manifest-shape.ts';
import type { Money } from '../money.ts';
import type { Tree } from '../tree.ts';
import type { Region } from './object-store.ts';

/** A job as its order fixed it. */
export interface JobOrder {
  readonly id: JobId;
  readonly customer: AccountId;
  readonly name: string;
  readonly region: Region;
  readonly manifest: Manifest;
  readonly manifestHash: Sha256Hex;
  readonly bundle: Tree;
  readonly bundleDigest: Sha256Hex;
  readonly perReplica: Money;
  readonly cap: Money;
  /** What is charged: the cap, or the least that the payment provider takes. */
  readonly deposit: Money;
  readonly redundancy: number;
  /** Work units, and one more where the manifest merges. */
  readonly units: number;
}

/** A job that is about to be stored. */
export interface NewJob extends JobOrder {
  readonly idempotencyKey: string;
  readonly requestHash: Sha256Hex;
  /** How long it waits for its payment. */
  readonly payWithinMs: number;
}

/** A stored job. */
export interface JobRow extends JobOrder {
  readonly state: JobState;
  readonly charged: Money | null;
  /** What providers of work earned, the commission included. */
  readonly paidOut: Money | null;
  readonly refunded: Money | null;
  readonly commission: CommissionTerms | null;
  readonly unitsAgreed: number;
  readonly unitsUndecided: number;
  readonly replicasRunning: number;
  readonly failure: { readonly code: string; readonly text: string } | null;
  readonly requestHash: Sha256Hex | null;
  readonly createdAtMs: number;
  readonly fundedAtMs: number | null;
  readonly verifiedAtMs: number | null;
  readonly releaseDueAtMs: number | null;
  readonly settledAtMs: number | null;
  /** The release was put to the ledger: from then on nobody can dispute. */
  readonly releaseRequested: boolean;
  /** What the ledger refused, for an operator to look at. */
  readonly ledgerProblem: string | null;
}

/** What happens to a job; the database's clock stamps it. */
export type JobStep =
  | { readonly kind: 'fund'; readonly charged: Money; readonly commission: CommissionTerms }
  | { readonly kind: 'cancel'; readonly code: string; readonly text: string }
  | { readonly kind: 'request_release' }
  | { readonly kind: 'dispute' }
  | { readonly kind: 'complete'; readonly paidOut: Money; readonly refunded: Money }
  | { readonly kind: 'refund'; readonly refunded: Money }
  | { readonly kind: 'flag'; readonly problem: string };

/** A movement at a payment provider. */
export type TransferId = PaymentId | RefundId | PayoutId;
export type TransferState =
  | 'queued'
  | 'pending'
  | 'requires_action'
  | 'in_transit'
  | 'succeeded'
  | 'canceled'
  | 'failed';

interface TransferBase {
  readonly region: Region;
  /** Who pays or is paid. */
  readonly party: AccountId;
  readonly amount: Money;
}

/** Money in for a job, money back to the customer, or money out to a provider of work. */
export type NewTransfer =
  | (TransferBase & {
      readonly kind: 'payment';
      readonly id: PaymentId;
      readonly job: JobId;
      readonly attempt: number;
      readonly method: string | null;
    })
  | (TransferBase & {
      readonly kind: 'refund';
      readonly id: RefundId;
      readonly job: JobId;
      readonly payment: PaymentId;
      readonly reason: RefundReason;
    })
  | (TransferBase & {
      readonly kind: 'payout';
      readonly id: PayoutId;
      readonly destination: string;
      /** What it pays for; the parts sum to the amount. */
      readonly shares: readonly PayoutShare[];
    });

/** Why money goes back: at most one refund of each kind a payment. */
export type RefundReason = 'unspent' | 'failed' | 'disputed' | 'second_payment' | 'late_payment' | 'mismatch';

export interface PayoutShare {
  readonly job: JobId;
  readonly amount: Money;
}

/** What is owed to a payee for one job. */
export interface Debt extends PayoutShare {
  readonly payee: AccountId;
}

/** A stored movement. */
export interface TransferRow {
  readonly id: TransferId;
  readonly kind: 'payment' | 'refund' | 'payout';
  readonly region: Region;
  readonly party: AccountId;
  readonly job: JobId | null;
  readonly state: TransferState;
  readonly amount: Money;
  readonly attempt: number;
  readonly method: string | null;
  readonly action: string | null;
  /** What arrived, where it did. */
  readonly received: Money | null;
  readonly bookedAs: BookedAs | null;
  readonly payment: PaymentId | null;
  readonly reason: RefundReason | null;
  readonly destination: string | null;
  readonly providerId: string | null;
  readonly failure: string | null;
}

/** Where the journal put a payment. */
export type BookedAs = 'escrow' | 'credit' | 'suspense';

/** What became known of a movement; what is left out stays. */
export interface TransferChange {
  readonly state?: TransferState;
  readonly providerId?: string;
  readonly action?: string | null;
  readonly received?: Money;
  readonly fee?: Money;
  readonly bookedAs?: BookedAs;
  readonly failure?: string | null;
}

/** How one worker's replicas of a job ended. */
export interface WorkerRecord {
  readonly worker: WorkerId;
  readonly owner: AccountId;
  readonly agreed: number;
  readonly disagreed: number;
  readonly lost: number;
}

/** What a job brought one provider of work. */
export interface Earning {
  readonly payee: AccountId;
  readonly replicas: number;
  readonly gross: Money;
  readonly commission: Money;
  readonly net: Money;
}

/** Where a provider of work is paid to, and what is owed to it. */
export interface Payee {
  readonly account: AccountId;
  readonly region: Region;
  /** Its account at the payment provider. */
  readonly destination: string;
  readonly owed: readonly PayoutShare[];
}

export interface DisputeRow {
  readonly id: DisputeId;
  readonly job: JobId;
  readonly openedBy: AccountId;
  readonly reason: string;
  readonly state: 'open' | 'resolved';
  readonly outcome: DisputeOutcome | null;
  /** What of the earned money goes back to the customer, by the ruling. */
  readonly refund: Money | null;
  /** The ruling's reason. */
  readonly resolution: string | null;
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
}

/** `release`: paid as agreed. `refund`: all goes back. `split`: a part of what was earned goes back. */
export type DisputeOutcome = 'release' | 'refund' | 'split';

export interface DisputeRuling {
  readonly outcome: DisputeOutcome;
  readonly refund: Money;
  readonly reason: string;
  readonly by: AccountId;
}
