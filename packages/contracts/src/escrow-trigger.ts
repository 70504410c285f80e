/** EscrowTrigger: the challenge timer, and the signals that let money move. */

import { canonicalJson, limits, refuse, type JobId } from '@assay/core';
import type { Call, ContractVersion } from './call.ts';
import { jobIdOf, malformed, wholeNumberOf } from './arguments.ts';
import { boundedDeadline, challengeWindowOf, countVote, proposalOf } from './challenge-window.ts';
import { emit, type FactDraft } from './facts.ts';
import { LedgerContract } from './ledger-contract.ts';
import { contractOf, escrowOf, keyOf, timeMsOf, writeRecord, type EscrowRecord } from './records.ts';
import { nextEscrowStatus, type ContractState, type EscrowStep } from './states.ts';

export class EscrowTrigger extends LedgerContract {
  constructor(version?: ContractVersion) {
    super('EscrowTrigger', version);
  }

  /**
   * Opens the challenge window of a VERIFIED contract. Both instants are the orchestrator's witnessed time in
   * milliseconds; the ledger keeps the deadline within the bounds that the organisations set, counted from the
   * transaction's own time, so that it can neither be missing nor be moved afterwards.
   */
  async startChallengeTimer(ctx: Call, contractId: string, startedAtMs: string, deadlineMs: string): Promise<string> {
    const job = jobIdOf(contractId);
    const started = wholeNumberOf('startedAtMs', startedAtMs, limits.ledgerTimeMs);
    const deadline = wholeNumberOf('deadlineMs', deadlineMs, limits.ledgerTimeMs);
    if (deadline < started || deadline - started > limits.challengeWindowMs) {
      throw malformed(`the deadline lies 0 to ${limits.challengeWindowMs} ms after the start`);
    }
    await requireState(ctx, job, 'VERIFIED');
    const window = await windowFrom(ctx, started, deadline);
    const escrow = await moveEscrow(ctx, job, 'start', window);
    emit(ctx, ['ChallengeTimerStarted', { job, startedAtMs: started, deadlineMs: window.deadlineMs }]);
    return canonicalJson(escrow);
  }

  /**
   * Lets the payout happen once the window is over; refuses `escrow.window_open` before. It compares with the
   * transaction's own time stamp, whose limits `timeMsOf` explains.
   */
  async triggerPayout(ctx: Call, contractId: string): Promise<string> {
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
  async triggerRefund(ctx: Call, contractId: string): Promise<string> {
    const job = jobIdOf(contractId);
    await requireState(ctx, job, 'FUNDED');
    const escrow = await moveEscrow(ctx, job, 'refund');
    emit(ctx, ['RefundTriggered', { job }]);
    return canonicalJson(escrow);
  }

  /**
   * The caller's organisation wants windows to last from `minMs` to `maxMs`, and `votes` organisations to be needed for
   * the next change. It holds as soon as as many organisations want the same as the rule before and this one ask for. The
   * newest vote of each counts.
   */
  async voteOnChallengeWindow(ctx: Call, minMs: string, maxMs: string, votes: string): Promise<string> {
    const proposal = proposalOf(minMs, maxMs, votes);
    const rule = await countVote(ctx, proposal);
    const vote: FactDraft = ['ChallengeWindowVoted', { organization: ctx.clientIdentity.getMSPID(), ...proposal }];
    emit(ctx, vote, ...(rule === undefined ? [] : [['ChallengeWindowSet', rule] as const]));
    return canonicalJson({ decided: rule !== undefined });
  }

  /** The bounds of challenge windows that are in force. */
  async getChallengeWindow(ctx: Call): Promise<string> {
    return canonicalJson(await challengeWindowOf(ctx));
  }

  /** The escrow's record; refuses `job.not_found`. */
  async getEscrowStatus(ctx: Call, contractId: string): Promise<string> {
    const { id } = await contractOf(ctx, jobIdOf(contractId));
    return canonicalJson(await escrowOf(ctx, id));
  }
}

/** Moves the escrow one step and writes it; refuses `escrow.wrong_state`. */
export async function moveEscrow(
  ctx: Call,
  job: JobId,
  step: EscrowStep,
  timer: Readonly<Record<string, number>> = {},
): Promise<EscrowRecord> {
  const before = await escrowOf(ctx, job);
  const after = { ...before, ...timer, status: nextEscrowStatus(before.status, step) };
  await writeRecord(ctx, keyOf(ctx, 'escrow', job), after);
  return after;
}

async function requireState(ctx: Call, job: JobId, state: ContractState): Promise<void> {
  const contract = await contractOf(ctx, job);
  if (contract.state !== state) throw refuse('job.wrong_state', `the contract is ${contract.state}, not ${state}`);
}

/** Version 1 took the orchestrator's word for the deadline. */
async function windowFrom(ctx: Call, startedAtMs: number, wantedMs: number) {
  if (ctx.version === 1) return { startedAtMs, deadlineMs: wantedMs };
  const rule = await challengeWindowOf(ctx);
  return { startedAtMs, deadlineMs: boundedDeadline(rule, wantedMs, timeMsOf(ctx)), leastMs: rule.minMs };
}
