/** Settlement: one journal entry divides a job's escrow among providers, platform and customer. */

import {
  add,
  assert,
  jobTable,
  money,
  transition,
  type AccountId,
  type CommissionTerms,
  type Currency,
  type JobId,
  type JobRow,
  type JournalEntry,
  type JournalPosting,
  type Money,
  type TradeTx,
  type WorkerRecord,
} from '@assay/core';
import { commission, escrowOf, payableTo } from './accounts.ts';
import { queueRefund } from './queue-refund.ts';
import { queueReputation } from './queue-reputation.ts';
import { fundingOf } from './return-escrow.ts';
import { settlementOf, type Settlement } from './settlement.ts';
import type { TradeDeps } from './trade-deps.ts';

interface SettleDeps extends Pick<TradeDeps, 'ids' | 'terms'> {
  /** What the workers did for a job, where it was counted before. */
  readonly recordsOf?: (job: JobId) => readonly WorkerRecord[] | undefined;
}

/** A job with what settling it needs. */
interface Settling {
  readonly job: JobRow;
  readonly charged: Money;
  readonly terms: CommissionTerms;
  readonly records: readonly WorkerRecord[];
  /** What an arbiter takes from what was earned and returns; usually nothing. */
  readonly deduction: Money;
  readonly isSplit: boolean;
}

interface Settled extends Settling {
  readonly settlement: Settlement;
}

/**
 * Pays jobs that the ledger completed, in this order; they are under our lock. Refuses `job.wrong_state` and
 * `escrow.window_open`, and then none is paid.
 */
export async function settleJobs(deps: SettleDeps, tx: TradeTx, jobs: readonly JobRow[]): Promise<void> {
  // One time for all, so that turnover is added to the month in which it was read.
  const [atMs, ...ready] = await Promise.all([tx.trail.nowMs(), ...jobs.map((job) => prepare(deps, tx, job))]);
  const settled = await divide(tx, ready, atMs);
  const entries = await Promise.all(settled.map((one) => entryOf(deps, tx, one)));
  await tx.money.postAll(entries);
  const earned = settled.flatMap(({ job, settlement }) => settlement.earnings.map((one) => ({ ...one, job: job.id })));
  const debts = earned.map(({ payee, job, net }) => ({ payee, job, amount: net }));
  const owed = debts.filter((debt) => debt.amount.minor > 0n);
  const ended = settled.map(({ job, records }) => ({ job: job.id, records }));
  // These need nothing of each other, so they travel together.
  await Promise.all([
    tx.earnings.add(earned, atMs),
    tx.earnings.owe(owed, deps.terms.payoutDelayMs),
    ...settled.map(({ job, settlement: { gross, refund } }) =>
      tx.jobs.step(job.id, { kind: 'complete', paidOut: gross, refunded: refund }),
    ),
    queueReputation(tx, ended),
  ]);
}

async function prepare(deps: SettleDeps, tx: TradeTx, job: JobRow): Promise<Settling> {
  transition(jobTable, job.state, 'complete');
  assert(job.charged !== null && job.commission !== null, 'a funded job has its terms');
  const { charged, commission: terms } = job;
  const dispute = job.state === 'disputed' ? await tx.disputes.ofJob(job.id) : undefined;
  const isSplit = dispute?.outcome === 'split';
  const [records] = await Promise.all([
    deps.recordsOf?.(job.id) ?? tx.earnings.records(job.id),
    tx.money.moveEscrow(job.id, ...escrowMove(job, isSplit)),
  ]);
  return { job, charged, terms, records, deduction: dispute?.refund ?? money(charged.currency, 0n), isSplit };
}

/** Divides the money of each job, by the turnover that those before it leave. */
async function divide(tx: TradeTx, jobs: readonly Settling[], atMs: number): Promise<Settled[]> {
  const turnovers = new Map<Currency, Map<AccountId, Money>>();
  for (const [currency, same] of Map.groupBy(jobs, (one) => one.charged.currency)) {
    const records = same.flatMap((one) => one.records);
    const owners = [...new Set(records.filter((one) => one.agreed > 0).map((one) => one.owner))].toSorted();
    turnovers.set(currency, new Map(await tx.earnings.lockTurnover(owners, currency, atMs)));
  }
  return jobs.map((one) => {
    const turnover = turnovers.get(one.charged.currency) ?? new Map<AccountId, Money>();
    const settlement = settlementOf({ ...one, perReplica: one.job.perReplica, turnover });
    for (const { payee, gross } of settlement.earnings) {
      const before = turnover.get(payee);
      turnover.set(payee, before === undefined ? gross : add(before, gross));
    }
    return { ...one, settlement };
  });
}

function escrowMove(job: JobRow, isSplit: boolean): ['challenge' | 'frozen', 'released' | 'split'] {
  if (job.state === 'verified') return ['challenge', 'released'];
  return ['frozen', isSplit ? 'split' : 'released'];
}

async function entryOf(deps: SettleDeps, tx: TradeTx, { job, settlement, isSplit }: Settled): Promise<JournalEntry> {
  const debit = escrowOf(job.id);
  const postings: JournalPosting[] = settlement.earnings.map(({ payee, net }) => ({
    debit,
    credit: payableTo(payee),
    amount: net,
  }));
  postings.push({ debit, credit: commission, amount: settlement.commission });
  if (settlement.refund.minor > 0n) {
    const payment = await fundingOf(tx, job);
    const refund = await queueRefund(deps, tx, payment, isSplit ? 'disputed' : 'unspent', settlement.refund);
    postings.push({ debit, credit: refund.account, amount: settlement.refund });
  }
  return {
    key: `${job.id}/settlement`,
    kind: 'settlement',
    job: job.id,
    cause: { fact: 'ContractCompleted' },
    postings: postings.filter((posting) => posting.amount.minor > 0n),
  };
}
