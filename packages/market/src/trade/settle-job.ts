/** Settlement: one journal entry divides a job's escrow among providers, platform and customer. */

import {
  assert,
  jobTable,
  money,
  transition,
  type JobRow,
  type JournalPosting,
  type TradeTx,
  type WorkerRecord,
} from '@assay/core';
import { commission, escrowOf, payableTo } from './accounts.ts';
import { queueRefund } from './queue-refund.ts';
import { queueReputation } from './queue-reputation.ts';
import { fundingOf, returnEscrow } from './refund-job.ts';
import { settlementOf, type Settlement } from './settlement.ts';
import type { TradeDeps } from './trade-deps.ts';

interface SettleDeps extends Pick<TradeDeps, 'ids' | 'terms'> {
  /** What the workers did for the job, where it was counted before. */
  readonly records?: Promise<readonly WorkerRecord[]> | undefined;
}

/** Pays a job that the ledger completed; the job is under our lock. Refuses `job.wrong_state` and `escrow.window_open`. */
export async function settleJob(deps: SettleDeps, tx: TradeTx, job: JobRow): Promise<void> {
  transition(jobTable, job.state, 'complete');
  assert(job.charged !== null && job.commission !== null, 'a funded job has its terms');
  const { charged, commission: terms, perReplica } = job;
  const dispute = job.state === 'disputed' ? await tx.disputes.ofJob(job.id) : undefined;
  const isSplit = dispute?.outcome === 'split';
  const [records] = await Promise.all([
    deps.records ?? tx.earnings.records(job.id),
    tx.money.moveEscrow(job.id, ...escrowMove(job, isSplit)),
  ]);
  const owners = [...new Set(records.filter((one) => one.agreed > 0).map((one) => one.owner))].toSorted();
  const turnover = await tx.earnings.lockTurnover(owners, charged.currency);
  const deduction = dispute?.refund ?? money(charged.currency, 0n);
  const settlement = settlementOf({ charged, perReplica, records, terms, turnover, deduction });
  await book(deps, tx, job, settlement, isSplit);
  const debts = settlement.earnings.map(({ payee, net }) => ({ payee, job: job.id, amount: net }));
  const owed = debts.filter((debt) => debt.amount.minor > 0n);
  // These need nothing of each other, so they travel together.
  await Promise.all([
    tx.earnings.add(job.id, settlement.earnings),
    tx.earnings.owe(owed, deps.terms.payoutDelayMs),
    tx.jobs.step(job.id, { kind: 'complete', paidOut: settlement.gross, refunded: settlement.refund }),
    queueReputation(tx, job.id, records),
  ]);
}

/** Returns the deposit of a disputed job that the ledger refunded; the job is under our lock. */
export async function refundJob(deps: SettleDeps, tx: TradeTx, job: JobRow): Promise<void> {
  transition(jobTable, job.state, 'refund');
  await returnEscrow(deps, tx, job, { from: 'frozen', reason: 'disputed' });
  await queueReputation(tx, job.id, await tx.earnings.records(job.id));
}

function escrowMove(job: JobRow, isSplit: boolean): ['challenge' | 'frozen', 'released' | 'split'] {
  if (job.state === 'verified') return ['challenge', 'released'];
  return ['frozen', isSplit ? 'split' : 'released'];
}

async function book(
  deps: SettleDeps,
  tx: TradeTx,
  job: JobRow,
  settlement: Settlement,
  isSplit: boolean,
): Promise<void> {
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
  await tx.money.post({
    key: `${job.id}/settlement`,
    kind: 'settlement',
    job: job.id,
    cause: { fact: 'ContractCompleted' },
    postings: postings.filter((posting) => posting.amount.minor > 0n),
  });
}
