/** The end of the challenge window: the release is put to the ledger, whose fact then moves the money. */

import { limits } from '@assay/core';
import { queueLedger } from './ledger-call.ts';
import type { TradeDeps } from './trade-deps.ts';

/** Requests the release of verified jobs whose window is over, by the database's clock; returns how many. */
export async function releaseDue(deps: Pick<TradeDeps, 'store'>): Promise<number> {
  return await deps.store.transaction(async (tx) => {
    const jobs = await tx.jobs.due(limits.sweepJobs);
    for (const job of jobs) {
      await tx.jobs.step(job, { kind: 'request_release' });
      await queueLedger(tx, job, 'EscrowTrigger.triggerPayout', []);
      await queueLedger(tx, job, 'Contract.completeContract', []);
    }
    return jobs.length;
  });
}
