/** The end of a dispute that an arbiter decided for the customer. */

import { jobTable, transition, type JobRow, type TradeTx } from '@assay/core';
import { queueReputation } from './queue-reputation.ts';
import { returnEscrow } from './return-escrow.ts';
import type { TradeDeps } from './trade-deps.ts';

/** Returns the deposit of a disputed job that the ledger refunded; the job is under our lock. */
export async function refundDisputed(deps: Pick<TradeDeps, 'ids'>, tx: TradeTx, job: JobRow): Promise<void> {
  transition(jobTable, job.state, 'refund');
  await returnEscrow(deps, tx, job, { from: 'frozen', reason: 'disputed' });
  await queueReputation(tx, [{ job: job.id, records: await tx.earnings.records(job.id) }]);
}
