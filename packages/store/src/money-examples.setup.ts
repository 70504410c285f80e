/** Payments and releases as tests need them. */

import { type Money, money, type JobId } from '@assay/core';
import type { Database, Tx } from './database.ts';
import { moveEscrow, openEscrow } from './escrow.ts';
import { postEntry } from './journal.ts';
import type { AccountRef } from './money-account.ts';

export const usd = (minor: bigint | number): Money => money('USD', BigInt(minor));
export const testJob = (number: number): JobId => `job_${number.toString(16).padStart(32, '0')}` as JobId;
export const escrowOf = (job: JobId): AccountRef => ({ kind: 'escrow', ref: job });
export const payableTo = (ref: string): AccountRef => ({ kind: 'worker_payable', ref });
export const stripe: AccountRef = { kind: 'psp_asset', ref: 'stripe' };
export const commission: AccountRef = { kind: 'commission', ref: 'platform' };

/** Opens the job's escrow and pays it. */
export async function payIn(tx: Tx, job: JobId, amount: Money): Promise<void> {
  await openEscrow(tx, job, amount);
  await postEntry(tx, {
    key: `payment:${job}`,
    kind: 'payment',
    jobId: job,
    cause: { test: true },
    postings: [{ debit: stripe, credit: escrowOf(job), amount }],
  });
  await moveEscrow(tx, job, 'awaiting_payment', 'funded');
}

/** A job that is paid and whose challenge window is over. */
export async function dueJob(db: Database, job: JobId, amount: Money): Promise<void> {
  await db.transaction(async (tx) => {
    await payIn(tx, job, amount);
    await moveEscrow(tx, job, 'funded', 'challenge', { windowMs: 0 });
  });
}

/** Pays the worker and the platform out of the escrow. */
export async function release(tx: Tx, job: JobId, worker: string, earned: Money, fee: Money): Promise<void> {
  await moveEscrow(tx, job, 'challenge', 'released');
  await postEntry(tx, {
    key: `release:${job}`,
    kind: 'settlement',
    jobId: job,
    cause: {},
    postings: [
      { debit: escrowOf(job), credit: payableTo(worker), amount: earned },
      { debit: escrowOf(job), credit: commission, amount: fee },
    ],
  });
}
