/** What reports of escape attempts bring about: a job that independent workers accuse alike ends, its customer is banned. */

import { limits, provenBreach, type WorkerId, type WorkStore } from '@assay/core';

/** Weighs the reports that came in since the last sweep; tells whom the end of their jobs must wake. */
export async function sweepBreaches(
  store: WorkStore,
): Promise<{ readonly banned: number; readonly workers: readonly WorkerId[] }> {
  const workers: WorkerId[] = [];
  let banned = 0;
  for (const breached of await store.transaction((tx) => tx.breachedJobs(limits.sweepUnits))) {
    const proven = provenBreach(breached.reports);
    if (proven !== undefined) banned += 1;
    // A transaction each: the audit log's line comes last in it.
    const holders = await store.transaction(async (tx) => {
      const text = `independent workers saw it try to leave its sandbox: ${proven}`;
      const told = proven === undefined ? [] : await tx.failJob(breached.job, { code: 'job.escape_attempt', text });
      await tx.weighBreach(breached, proven);
      return told;
    });
    workers.push(...holders);
  }
  return { banned, workers };
}
