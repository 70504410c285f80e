/** How many facts a second the ledger takes, in batches, on this machine and this database. */

import { randomBytes } from 'node:crypto';
import { platformMsp } from '@assay/contracts';
import type { Ledger, LedgerIdentity, Submission } from '@assay/core';

export interface LedgerBenchOptions {
  readonly ledger: Ledger;
  /** Submissions in all, and how many go in one call. */
  readonly submissions: number;
  readonly batch: number;
  /** Calls that wait at the same time. */
  readonly clients: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

export interface LedgerBenchResult {
  readonly committed: number;
  readonly elapsedMs: number;
  readonly perSecond: number;
  readonly blocks: number;
}

const as: LedgerIdentity = { mspId: platformMsp, name: 'bench', roles: ['orchestrator'] };

/** An id of its own for everything that a submission names. */
function idOf(prefix: string, run: string, index: number): string {
  return `${prefix}_${run}${String(index).padStart(24, '0')}`;
}

/** Records one result for each of as many workers, so that no two submissions depend on each other. */
export async function benchLedger(options: LedgerBenchOptions): Promise<LedgerBenchResult> {
  const { ledger, batch, clients, nowMs } = options;
  const run = randomBytes(4).toString('hex');
  const submission = (index: number): Submission => ({
    contract: 'Reputation',
    fn: 'recordResult',
    args: [idOf('wrk', run, index), 'true', `{"job":"${idOf('job', run, index)}","replicas":1}`],
    idempotencyKey: `bench/${run}/${index}`,
  });
  const before = (await ledger.head()).block;
  const started = nowMs();
  let next = 0;
  let committed = 0;
  const client = async (): Promise<void> => {
    while (next < options.submissions) {
      const count = Math.min(batch, options.submissions - next);
      const first = next;
      next += count;
      const outcomes = await ledger.submit(
        Array.from({ length: count }, (_, index) => submission(first + index)),
        as,
      );
      committed += outcomes.filter((outcome) => outcome.kind === 'committed').length;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsedMs = nowMs() - started;
  const blocks = Number((await ledger.head()).block - before);
  return { committed, elapsedMs, perSecond: Math.round((committed * 1000) / elapsedMs), blocks };
}
