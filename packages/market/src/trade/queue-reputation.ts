/** What workers did for a job, remembered here and told to the ledger: all workers of a job share a few calls. */

import { limits, type JobId, type TradeTx, type WorkerRecord } from '@assay/core';
import { queueLedger } from './ledger-call.ts';

/** Counts what the workers of a job did that has just ended. */
export async function queueReputation(tx: TradeTx, job: JobId, records: readonly WorkerRecord[]): Promise<void> {
  await tx.earnings.remember(records);
  const results = records
    .map(({ worker, agreed, disagreed, lost }) => ({ worker, agreed, disagreed, lost }))
    .filter((result) => result.agreed + result.disagreed + result.lost > 0)
    .toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
  for (let part = 0; part * limits.ledgerResults < results.length; part += 1) {
    const slice = results.slice(part * limits.ledgerResults, (part + 1) * limits.ledgerResults);
    await queueLedger(tx, job, 'Reputation.recordResults', [String(part), JSON.stringify(slice)], part);
  }
}
