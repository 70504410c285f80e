/** What the end of a job's work means for its money; runs inside the transaction of the last verdict. */

import { isoTime, type JobId, type TradeTx } from '@assay/core';
import { queueLedger } from './ledger-call.ts';
import { queueReputation } from './queue-reputation.ts';
import { returnEscrow } from './return-escrow.ts';
import type { TradeDeps } from './trade-deps.ts';

/** The job is verified: its money waits for the end of the challenge window, here and on the ledger. */
export async function workVerified(tx: TradeTx, job: JobId, releaseDueAtMs: number): Promise<void> {
  const nowMs = await tx.trail.nowMs();
  await tx.money.moveEscrow(job, 'funded', 'challenge', { releaseDueAtMs });
  await queueLedger(tx, job, 'Contract.verifyWork', []);
  const startedAtMs = Math.min(nowMs, releaseDueAtMs);
  await queueLedger(tx, job, 'EscrowTrigger.startChallengeTimer', [String(startedAtMs), String(releaseDueAtMs)]);
  const data = { state: 'verified', releaseDueAt: isoTime(releaseDueAtMs) };
  const row = await tx.jobs.find(job);
  await tx.trail.change({ kind: 'job', job, account: row?.customer ?? null, data });
}

/** The job reached no verdict: everything goes back. The job itself was moved to refunded by the caller. */
export async function workFailed(deps: Pick<TradeDeps, 'ids'>, tx: TradeTx, job: JobId): Promise<void> {
  const row = await tx.jobs.lock(job);
  if (!row) return;
  await returnEscrow(deps, tx, row, { from: 'funded', reason: 'failed' });
  await queueLedger(tx, job, 'EscrowTrigger.triggerRefund', []);
  await queueLedger(tx, job, 'Contract.refundContract', []);
  await queueReputation(tx, [{ job, records: await tx.earnings.records(job) }]);
}
