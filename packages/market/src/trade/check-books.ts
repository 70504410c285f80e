/** Do the three books tell one story: the journal, the job tables and the ledger? Writes nothing. */

import { limits, Refusal, type BooksFault, type JobId, type JobStanding } from '@assay/core';
import type { TradeDeps } from './trade-deps.ts';

export type CheckDeps = Pick<TradeDeps, 'store' | 'ledger' | 'identities'>;

/** Where the books contradict themselves or each other; empty when all is well. Jobs with open calls are left out. */
export async function checkBooks(deps: CheckDeps): Promise<readonly BooksFault[]> {
  const faults = [...(await deps.store.checkBooks())];
  let after: JobId | null = null;
  for (;;) {
    const jobs: readonly JobStanding[] = await deps.store.standings(after, limits.pageItems);
    for (const job of jobs) if (!job.ledgerPending) faults.push(...(await compare(deps, job)));
    const last = jobs.at(-1);
    if (!last || jobs.length < limits.pageItems) return faults;
    after = last.job;
  }
}

async function compare(deps: CheckDeps, standing: JobStanding): Promise<BooksFault[]> {
  const state = await ledgerState(deps, standing.job);
  if (state === standing.state) return [];
  const text = `the job is ${standing.state}, its contract ${state ?? 'not listed'}`;
  return [{ rule: 'the ledger says what the job tables say', ref: standing.job, text }];
}

async function ledgerState(deps: CheckDeps, job: JobId): Promise<string | undefined> {
  try {
    const text = await deps.ledger.evaluate('Contract', 'getContract', [job], deps.identities.orchestrator);
    return (JSON.parse(text) as { state: string }).state.toLowerCase();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
