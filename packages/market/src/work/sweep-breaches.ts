/** What reports of escape attempts bring about: a customer whose job independent workers accuse alike is banned. */

import { limits, provenBreach, type WorkStore } from '@assay/core';

/**
 * Weighs the reports of units that were decided since the last sweep; answers how many jobs they prove against. The
 * verdict has ended such a job already. A job that cannot be weighed is among the `problems` and holds up no other.
 */
export async function sweepBreaches(store: WorkStore, problems: unknown[]): Promise<number> {
  let proven = 0;
  for (const breached of await store.transaction((tx) => tx.breachedJobs(limits.sweepUnits))) {
    const what = provenBreach(breached.reports);
    try {
      // A transaction each: the audit log's line comes last in it.
      await store.transaction((tx) => tx.weighBreach(breached, what));
      if (what !== undefined) proven += 1;
    } catch (error) {
      problems.push(error);
    }
  }
  return proven;
}
