/** Jobs belong to their customers: to everybody else they are not there. */

import { refuse, type AccountId, type JobId, type JobRow, type TradeTx } from '@assay/core';

/** Refuses `account.banned` where the customer may not order or pay any more. */
export async function refuseBanned(tx: TradeTx, customer: AccountId): Promise<void> {
  const reason = await tx.jobs.ban(customer);
  if (reason !== undefined) throw refuse('account.banned', `this account is banned: ${reason}`);
}

/** The job under its lock; refuses `job.not_found` where it is not the customer's. */
export async function lockOwnJob(tx: TradeTx, id: JobId, customer: AccountId): Promise<JobRow> {
  const job = await tx.jobs.lock(id);
  if (job?.customer !== customer) throw refuse('job.not_found', 'no such job', { job: id });
  return job;
}
