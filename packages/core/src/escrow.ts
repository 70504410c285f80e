/** Where a job's money is: the state of an escrow says who it belongs to. */

import type { StateTable } from './transition.ts';

export const escrowStates = [
  'awaiting_payment',
  'funded',
  'challenge',
  'frozen',
  'released',
  'refunded',
  'split',
  'charged_back',
  'expired',
] as const;
export type EscrowState = (typeof escrowStates)[number];

export const escrowEvents = [
  'fund',
  'expire',
  'accept',
  'freeze',
  'resume',
  'release',
  'refund',
  'split',
  'charge_back',
] as const;
export type EscrowEvent = (typeof escrowEvents)[number];

/** `accept` opens the challenge window over a verified result; `resume` returns a frozen escrow to it. */
export const escrowTable: StateTable<EscrowState, EscrowEvent> = {
  noun: 'escrow',
  states: escrowStates,
  rows: [
    ['awaiting_payment', 'fund', 'funded'],
    ['awaiting_payment', 'expire', 'expired'],
    ['funded', 'accept', 'challenge'],
    ['funded', 'freeze', 'frozen'],
    ['funded', 'refund', 'refunded'],
    ['funded', 'charge_back', 'charged_back'],
    ['challenge', 'release', 'released'],
    ['challenge', 'freeze', 'frozen'],
    ['challenge', 'charge_back', 'charged_back'],
    ['frozen', 'resume', 'challenge'],
    ['frozen', 'release', 'released'],
    ['frozen', 'refund', 'refunded'],
    ['frozen', 'split', 'split'],
    ['frozen', 'charge_back', 'charged_back'],
  ],
};

/** The states in which the escrow account holds exactly the escrow's amount; in all others it holds nothing. */
export const holdingStates: readonly EscrowState[] = ['funded', 'challenge', 'frozen'];
