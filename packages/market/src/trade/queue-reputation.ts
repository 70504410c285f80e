/** What workers did for a job, remembered here and told to the ledger: all workers of a job share a few calls. */

import { limits, type JobId, type TradeTx, type WorkerRecord } from '@assay/core';
import { queueLedger } from './ledger-call.ts';

/** A job that has just ended, with what its workers did for it. */
export interface EndedJob {
  readonly job: JobId;
  readonly records: readonly WorkerRecord[];
}

/** Counts what the workers of jobs did. */
export async function queueReputation(tx: TradeTx, ended: readonly EndedJob[]): Promise<void> {
  await tx.earnings.remember(ended.flatMap(({ records }) => records));
  await Promise.all(ended.map((one) => tellLedger(tx, one)));
}

async function tellLedger(tx: TradeTx, { job, records }: EndedJob): Promise<void> {
  const results = records
    .map(({ worker, agreed, disagreed, lost }) => ({ worker, agreed, disagreed, lost }))
    .filter((result) => result.agreed + result.disagreed + result.lost > 0)
    .toSorted((a, b) => (a.worker < b.worker ? -1 : 1));
  const calls: Promise<void>[] = [];
  for (let part = 0; part * limits.ledgerResults < results.length; part += 1) {
    const slice = results.slice(part * limits.ledgerResults, (part + 1) * limits.ledgerResults);
    calls.push(queueLedger(tx, job, 'Reputation.recordResults', [String(part), JSON.stringify(slice)], part));
  }
  await Promise.all(calls);
}
