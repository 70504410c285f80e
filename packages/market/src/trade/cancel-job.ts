/** Jobs that are not paid: called off by the customer, or given up when their time is over. */

import { jobTable, limits, transition, type AccountId, type JobId, type JobRow, type TradeTx } from '@assay/core';
import { queueLedger } from './ledger-call.ts';
import { lockOwnJob } from './own-job.ts';
import type { TradeDeps } from './trade-deps.ts';

type CancelDeps = Pick<TradeDeps, 'store'>;

/** Calls an unpaid job off; a payment that arrives later goes back. Refuses `job.not_found` and `job.wrong_state`. */
export async function cancelJob(deps: CancelDeps, request: { customer: AccountId; job: JobId }): Promise<JobRow> {
  return await deps.store.transaction(async (tx) => {
    const job = await lockOwnJob(tx, request.job, request.customer);
    if (job.state !== 'cancelled') await cancel(tx, job, 'job.cancelled', 'called off by the customer');
    return (await tx.jobs.find(job.id)) ?? job;
  });
}

/** Gives up jobs that were not paid in time; returns how many. */
export async function expireJobs(deps: CancelDeps): Promise<number> {
  return await deps.store.transaction(async (tx) => {
    const jobs = await tx.jobs.expired(limits.sweepJobs);
    for (const id of jobs) {
      const job = await tx.jobs.lock(id);
      if (job) await cancel(tx, job, 'job.expired', 'not paid in time');
    }
    return jobs.length;
  });
}

async function cancel(tx: TradeTx, job: JobRow, code: string, text: string): Promise<void> {
  transition(jobTable, job.state, 'cancel');
  await tx.jobs.step(job.id, { kind: 'cancel', code, text });
  await tx.money.moveEscrow(job.id, 'awaiting_payment', 'expired');
  await queueLedger(tx, job.id, 'Contract.cancelContract', []);
}
