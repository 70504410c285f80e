/** The two machines of the ledger as rows `[from, event, to]`; `job.ts` of the core holds the same rows for jobs. */

import { refuse } from '@assay/core';

export const contractStates = [
  'CREATED',
  'FUNDED',
  'VERIFIED',
  'COMPLETED',
  'DISPUTED',
  'REFUNDED',
  'CANCELLED',
] as const;
export type ContractState = (typeof contractStates)[number];
export type ContractEvent = 'fund' | 'cancel' | 'verify' | 'fail' | 'dispute' | 'complete' | 'refund';

type Rows<State extends string, Event extends string> = readonly (readonly [from: State, event: Event, to: State])[];

/** The life of a contract (D5). */
export const contractRows: Rows<ContractState, ContractEvent> = [
  ['CREATED', 'fund', 'FUNDED'],
  ['CREATED', 'cancel', 'CANCELLED'],
  ['FUNDED', 'verify', 'VERIFIED'],
  ['FUNDED', 'fail', 'REFUNDED'],
  ['VERIFIED', 'dispute', 'DISPUTED'],
  ['VERIFIED', 'complete', 'COMPLETED'],
  ['DISPUTED', 'complete', 'COMPLETED'],
  ['DISPUTED', 'refund', 'REFUNDED'],
];

export const escrowStatuses = ['NONE', 'HELD', 'CHALLENGE', 'FROZEN', 'PAYOUT_TRIGGERED', 'REFUND_TRIGGERED'] as const;
export type EscrowStatus = (typeof escrowStatuses)[number];
export type EscrowStep = 'hold' | 'start' | 'freeze' | 'payout' | 'forcePayout' | 'refund' | 'forceRefund';

/** Whom the held money goes to; `force…` is what the ruling on a dispute does. */
export const escrowRows: Rows<EscrowStatus, EscrowStep> = [
  ['NONE', 'hold', 'HELD'],
  ['HELD', 'start', 'CHALLENGE'],
  ['HELD', 'freeze', 'FROZEN'],
  ['HELD', 'refund', 'REFUND_TRIGGERED'],
  ['CHALLENGE', 'payout', 'PAYOUT_TRIGGERED'],
  ['CHALLENGE', 'freeze', 'FROZEN'],
  ['FROZEN', 'forcePayout', 'PAYOUT_TRIGGERED'],
  ['FROZEN', 'forceRefund', 'REFUND_TRIGGERED'],
];

/** Where `event` leads a contract; refuses `job.wrong_state`. */
export function nextContractState(state: ContractState, event: ContractEvent): ContractState {
  const row = contractRows.find(([from, by]) => from === state && by === event);
  if (row) return row[2];
  throw refuse('job.wrong_state', `a ${state} contract cannot ${event}`);
}

/** Where `step` leads an escrow; refuses `escrow.wrong_state`. */
export function nextEscrowStatus(status: EscrowStatus, step: EscrowStep): EscrowStatus {
  const row = escrowRows.find(([from, by]) => from === status && by === step);
  if (row) return row[2];
  throw refuse('escrow.wrong_state', `an escrow that is ${status} cannot ${step}`);
}
