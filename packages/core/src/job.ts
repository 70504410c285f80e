/** The life of a job: the same seven states as the ledger's Contract machine (D5), in lower case. */

import type { EscrowState } from './escrow.ts';
import type { StateTable } from './transition.ts';

export const jobStates = ['created', 'funded', 'verified', 'completed', 'disputed', 'refunded', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export const jobEvents = ['fund', 'cancel', 'verify', 'fail', 'dispute', 'complete', 'refund'] as const;
export type JobEvent = (typeof jobEvents)[number];

/** `cancel` is also what expiry of an unpaid job does; `fail` is a job that reached no verdict or failed by itself. */
export const jobTable: StateTable<JobState, JobEvent> = {
  noun: 'job',
  states: jobStates,
  rows: [
    ['created', 'fund', 'funded'],
    ['created', 'cancel', 'cancelled'],
    ['funded', 'verify', 'verified'],
    ['funded', 'fail', 'refunded'],
    ['verified', 'dispute', 'disputed'],
    ['verified', 'complete', 'completed'],
    ['disputed', 'complete', 'completed'],
    ['disputed', 'refund', 'refunded'],
  ],
};

/**
 * The escrow states that a job state allows, the usual one first. A frozen escrow under a funded job is a payment under
 * enquiry; a chargeback ends a job as refunded (by way of a dispute once it is verified).
 */
export const escrowStatesOfJob: Readonly<Record<JobState, readonly [EscrowState, ...EscrowState[]]>> = {
  created: ['awaiting_payment'],
  funded: ['funded', 'frozen'],
  verified: ['challenge'],
  completed: ['released', 'split'],
  disputed: ['frozen'],
  refunded: ['refunded', 'charged_back'],
  cancelled: ['expired'],
};
