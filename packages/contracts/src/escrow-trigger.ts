/** EscrowTrigger: the challenge timer, and the signals that let money move. */

import { canonicalJson, limits, refuse, type JobId } from '@assay/core';
import type { Context } from 'fabric-contract-api';
import { jobIdOf, malformed, wholeNumberOf } from './arguments.ts';
import { emit } from './facts.ts';
import { LedgerContract } from './ledger-contract.ts';
import { contractOf, escrowOf, keyOf, timeMsOf, writeRecord, type EscrowRecord } from './records.ts';
import { nextEscrowStatus, type ContractState, type EscrowStep } from './states.ts';

export class EscrowTrigger extends LedgerContract {
  constructor() {
    super('EscrowTrigger');
  }

  /**
   * Opens the challenge window of a VERIFIED contract. Both instants are the orchestrator's witnessed time in
   * milliseconds; the ledger keeps the deadline, so that it cannot be moved afterwards.
   */
  async startChallengeTimer(
    ctx: Context,
    contractId: string,
    startedAtMs: string,
    deadlineMs: string,
  ): Promise<string> {
    const job = jobIdOf(contractId);
    const started = wholeNumberOf('startedAtMs', startedAtMs, limits.ledgerTimeMs);
    const deadline = wholeNumberOf('deadlineMs', deadlineMs, limits.ledgerTimeMs);
    if (deadline < started || deadline - started > limits.challengeWindowMs) {
      throw malformed(`the deadline lies 0 to ${limits.challengeWindowMs} ms after the start`);
    }
    await requireState(ctx, job, 'VERIFIED');
    const escrow = await moveEscrow(ctx, job, 'start', { startedAtMs: started, deadlineMs: deadline });
    emit(ctx, ['ChallengeTimerStarted', { job, startedAtMs: started, deadlineMs: deadline }]);
    return canonicalJson(escrow);
  }

  /**
   * Lets the payout happen once the window is over; refuses `escrow.window_open` before. It compares with the
   * transaction's own time stamp, whose limits `timeMsOf` explains.
   */
  async triggerPayout(ctx: Context, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    await requireState(ctx, job, 'VERIFIED');
    const escrow = await moveEscrow(ctx, job, 'payout');
    if (timeMsOf(ctx) < Number(escrow.deadlineMs)) {
      throw refuse('escrow.window_open', `the challenge window is open until ${escrow.deadlineMs} ms`);
    }
    emit(ctx, ['PayoutTriggered', { job }]);
    return canonicalJson(escrow);
  }

  /** Lets the refund of a job happen that failed before it was verified. */
  async triggerRefund(ctx: Context, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    await requireState(ctx, job, 'FUNDED');
    const escrow = await moveEscrow(ctx, job, 'refund');
    emit(ctx, ['RefundTriggered', { job }]);
    return canonicalJson(escrow);
  }

  /** The escrow's record; refuses `job.not_found`. */
  async getEscrowStatus(ctx: Context, contractId: string): Promise<string> {
    const { id } = await contractOf(ctx, jobIdOf(contractId));
    return canonicalJson(await escrowOf(ctx, id));
  }
}

/** Moves the escrow one step and writes it; refuses `escrow.wrong_state`. */
export async function moveEscrow(
  ctx: Context,
  job: JobId,
  step: EscrowStep,
  timer: Partial<EscrowRecord> = {},
): Promise<EscrowRecord> {
  const before = await escrowOf(ctx, job);
  const after = { ...before, ...timer, status: nextEscrowStatus(before.status, step) };
  await writeRecord(ctx, keyOf(ctx, 'escrow', job), after);
  return after;
}

async function requireState(ctx: Context, job: JobId, state: ContractState): Promise<void> {
  const contract = await contractOf(ctx, job);
  if (contract.state !== state) throw refuse('job.wrong_state', `the contract is ${contract.state}, not ${state}`);
}
