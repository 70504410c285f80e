/** Disputes: the customer freezes the money inside the challenge window, an arbiter who is no party decides. */

import {
  formatMoney,
  hashOf,
  jobTable,
  money,
  newId,
  refuse,
  rulingHash,
  transition,
  type AccountId,
  type DisputeId,
  type DisputeOutcome,
  type DisputeRow,
  type JobId,
  type JobRow,
  type Money,
  type Ruling,
  type TradeTx,
} from '@assay/core';
import { queueLedger } from './ledger-call.ts';
import { lockOwnJob } from './own-job.ts';
import { earnedBy } from './settlement.ts';
import type { TradeDeps } from './trade-deps.ts';

export type DisputeDeps = Pick<TradeDeps, 'store' | 'ids' | 'sha256'>;

export interface DisputeRequest {
  readonly customer: AccountId;
  readonly job: JobId;
  readonly reason: string;
}

/**
 * Freezes the escrow of a verified job. Refuses `job.not_found`, `job.wrong_state`, `dispute.exists` and, once the window
 * is over or the release was requested, `escrow.window_closed`.
 */
export async function disputeJob(deps: DisputeDeps, request: DisputeRequest): Promise<DisputeRow> {
  const id = newId('dispute', deps.ids);
  return await deps.store.transaction(async (tx) => {
    const job = await lockOwnJob(tx, request.job, request.customer);
    if (job.state === 'disputed') throw refuse('dispute.exists', 'the job is already disputed', { job: job.id });
    if (job.state === 'completed')
      throw refuse('escrow.window_closed', 'the challenge window is over', { job: job.id });
    transition(jobTable, job.state, 'dispute');
    const nowMs = await tx.trail.nowMs();
    if (job.releaseRequested || job.releaseDueAtMs === null || job.releaseDueAtMs <= nowMs) {
      throw refuse('escrow.window_closed', 'the challenge window is over', { releaseDueAtMs: job.releaseDueAtMs });
    }
    await tx.disputes.open({ id, job: job.id, openedBy: request.customer, reason: request.reason });
    await tx.jobs.step(job.id, { kind: 'dispute' });
    await tx.money.moveEscrow(job.id, 'challenge', 'frozen');
    // The ledger learns of a reason only as a hash: the text may name people.
    await queueLedger(tx, job.id, 'Contract.disputeContract', [hashOf(deps.sha256, 'reason', request.reason)]);
    const dispute = await storedDispute(tx, id);
    await tx.trail.audit({ actor: request.customer, action: 'dispute.opened', ref: id, data: { job: job.id } });
    return dispute;
  });
}

export interface RulingRequest {
  readonly dispute: DisputeId;
  /** Whose role the caller has checked. */
  readonly arbiter: AccountId;
  readonly outcome: DisputeOutcome;
  /** For a split: what of the earned money goes back to the customer, in minor units. */
  readonly refundMinor?: bigint;
  readonly reason: string;
}

/**
 * Decides a dispute; the money moves with the ledger's fact. Refuses `dispute.not_found`, `job.wrong_state` where it is
 * decided, `auth.forbidden` to a party, `money.bad_split` and `escrow.insufficient_funds`.
 */
export async function resolveDispute(deps: DisputeDeps, request: RulingRequest): Promise<DisputeRow> {
  const { outcome, reason, arbiter } = request;
  return await deps.store.transaction(async (tx) => {
    const dispute = await tx.disputes.lock(request.dispute);
    if (!dispute) throw refuse('dispute.not_found', 'no such dispute', { dispute: request.dispute });
    const job = await tx.jobs.lock(dispute.job);
    if (job?.state !== 'disputed' || dispute.state === 'resolved') {
      throw refuse('job.wrong_state', 'the dispute is decided', { state: job?.state });
    }
    await refuseParty(tx, job, arbiter);
    const refund = await deductionOf(tx, job, request);
    await tx.disputes.resolve(dispute.id, { outcome, refund, reason, by: arbiter });
    const ruling: Ruling = { outcome: outcome === 'refund' ? 'REFUNDED' : 'COMPLETED', refund, reason };
    await queueLedger(tx, job.id, 'Contract.resolveDispute', [ruling.outcome, rulingHash(deps.sha256, job.id, ruling)]);
    const ruled = await storedDispute(tx, dispute.id);
    const data = { job: job.id, outcome, refund: refund.minor.toString(), reason };
    await tx.trail.audit({ actor: arbiter, action: 'dispute.resolved', ref: dispute.id, data });
    return ruled;
  });
}

async function refuseParty(tx: TradeTx, job: JobRow, arbiter: AccountId): Promise<void> {
  const owners = (await tx.earnings.records(job.id)).map((record) => record.owner);
  if (job.customer === arbiter || owners.includes(arbiter)) {
    throw refuse('auth.forbidden', 'a party of the job cannot decide about it', { job: job.id });
  }
}

/** What the ruling takes from the earned money and returns, beside the unspent part that returns anyway. */
async function deductionOf(tx: TradeTx, job: JobRow, request: RulingRequest): Promise<Money> {
  const { outcome, refundMinor } = request;
  const earned = earnedBy(job.perReplica, await tx.earnings.records(job.id));
  if (outcome !== 'split' && refundMinor !== undefined) {
    throw refuse('money.bad_split', `a ${outcome} names no amount`, {});
  }
  if (outcome === 'release') return money(earned.currency, 0n);
  if (outcome === 'refund') return earned;
  if (refundMinor === undefined || refundMinor <= 0n) {
    throw refuse('money.bad_split', 'a split names what goes back of the earned money', {});
  }
  if (refundMinor >= earned.minor) {
    throw refuse('escrow.insufficient_funds', `a split returns less than the earned ${formatMoney(earned)}`, {
      earned: earned.minor.toString(),
    });
  }
  return money(earned.currency, refundMinor);
}

async function storedDispute(tx: TradeTx, id: DisputeId): Promise<DisputeRow> {
  const dispute = await tx.disputes.lock(id);
  if (!dispute) throw refuse('dispute.not_found', 'no such dispute', { dispute: id });
  return dispute;
}
