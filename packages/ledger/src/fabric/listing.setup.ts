/** Jobs for tests on a real network: fresh ids, and the calls of a job's whole life. */

import { randomBytes } from 'node:crypto';
import type { LedgerIdentity, Submission } from '@assay/core';

export const platform: LedgerIdentity = { mspId: 'PlatformMSP', name: 'orchestrator', roles: ['orchestrator'] };

export const freshJob = (): string => `job_${randomBytes(16).toString('hex')}`;

/** A hash that a reader tells from others. */
export const hash = (letter: string): string => letter.repeat(64);

/** The details that `listContract` takes. */
export const details: string = JSON.stringify({
  manifestHash: hash('a'),
  bundleDigest: hash('b'),
  termsHash: hash('7'),
  requirementsHash: null,
  region: 'eu',
  runner: 'platform-runner:python-3.14',
  verification: 'exact',
  redundancy: 3,
  units: 1,
  storage: 'disk:eu',
});

function call(job: string, contract: Submission['contract'], fn: string, ...args: readonly string[]): Submission {
  return { contract, fn, args: [job, ...args], idempotencyKey: `${job}/${fn}` };
}

export function listed(job: string): Submission {
  return call(job, 'Marketplace', 'listContract', details);
}

/** Create, submit, verify, complete; the window has no length, which needs `agreeOnWindow` before. */
export function lifeOf(job: string): Submission[] {
  return [
    listed(job),
    call(job, 'Contract', 'activateContract'),
    call(job, 'Contract', 'submitWork', hash('c'), hash('d')),
    call(job, 'Contract', 'verifyWork'),
    call(job, 'EscrowTrigger', 'startChallengeTimer', '0', '0'),
    call(job, 'EscrowTrigger', 'triggerPayout'),
    call(job, 'Contract', 'completeContract'),
  ];
}

/** What the vote for windows without length leaves, that such a life needs. */
export const factsOfVotes = ['ChallengeWindowVoted', 'ChallengeWindowVoted', 'ChallengeWindowSet'];

/** What a whole life leaves on the ledger, in order. */
export const factsOfLife = [
  'ContractListed',
  'ContractFunded',
  'WorkSubmitted',
  'ContractVerified',
  'ChallengeTimerStarted',
  'PayoutTriggered',
  'ContractCompleted',
];
