/** Receipts: what the rows tell, with the ledger's proofs of it. */

import {
  assembleReceipt,
  money,
  refuse,
  type JobId,
  type JobRow,
  type Receipt,
  type ReceiptEvidence,
  type ReceiptSource,
  type Ruling,
} from '@assay/core';
import type { TradeDeps } from './trade-deps.ts';

export type ReceiptDeps = Pick<TradeDeps, 'store' | 'ledger' | 'sha256'>;

/** The receipt of a verified or settled job; refuses `job.not_found` and `result.not_ready`. */
export async function buildReceipt(deps: ReceiptDeps, id: JobId): Promise<Receipt> {
  const evidence = await deps.store.receiptSource(id);
  if (!evidence) throw refuse('job.not_found', 'no such job', { job: id });
  const { job, exchanges, units, payees, calls } = evidence;
  const settled = job.state === 'completed' || job.state === 'refunded';
  const ruling = settled ? await rulingOn(deps, job) : null;
  const state = stateOf(job, ruling);
  const wanted = wantedCalls(evidence, settled, ruling);
  if (state === undefined || wanted === undefined) {
    throw refuse('result.not_ready', `the receipt of a ${job.state} job is not there yet`, { state: job.state });
  }
  const proofs = [];
  for (const { txId } of calls.filter(({ call }) => wanted.has(call))) proofs.push(await deps.ledger.prove(txId));
  const { perReplica, cap, deposit, redundancy } = job;
  const source: ReceiptSource = {
    job: id,
    state,
    manifest: job.manifest,
    bundle: job.bundle,
    exchanges,
    units,
    proofs,
    ruling,
    terms: { perReplica, cap, deposit, redundancy, units: job.units },
    money: settled ? { payees, refunded: job.refunded ?? money(deposit.currency, 0n) } : null,
  };
  return assembleReceipt(deps.sha256, source);
}

function stateOf(job: JobRow, ruling: Ruling | null): Receipt['state'] | undefined {
  switch (job.state) {
    case 'verified':
    case 'disputed':
      return 'verified';
    case 'completed':
      return 'completed';
    case 'refunded':
      // A job that failed reached no verdict: there is nothing to prove.
      return ruling ? 'refunded' : undefined;
    default:
      return undefined;
  }
}

/** The calls that the receipt proves, or undefined while the ledger has not answered all of them. */
function wantedCalls(
  { calls, units }: ReceiptEvidence,
  settled: boolean,
  ruling: Ruling | null,
): ReadonlySet<string> | undefined {
  const wanted = new Set(['Marketplace.listContract', 'Contract.activateContract', 'Contract.submitWork']);
  wanted.add('Contract.verifyWork');
  if (settled) wanted.add(ruling ? 'Contract.resolveDispute' : 'Contract.completeContract');
  const found = new Set(calls.map(({ call }) => call));
  const batches = calls.filter(({ call }) => call === 'Contract.submitWork').length;
  const all = [...wanted].every((call) => found.has(call)) && units.every((unit) => unit.batch < batches);
  return all ? wanted : undefined;
}

async function rulingOn(deps: ReceiptDeps, job: JobRow): Promise<Ruling | null> {
  const dispute = await deps.store.transaction((tx) => tx.disputes.ofJob(job.id));
  if (!dispute?.outcome || dispute.refund === null) return null;
  const outcome = dispute.outcome === 'refund' ? 'REFUNDED' : 'COMPLETED';
  return { outcome, refund: dispute.refund, reason: dispute.resolution ?? '' };
}
