/**
 * The ledger's facts, in order, each once: the checkpoint moves in the transaction that acts on them. Only here does
 * money leave an escrow whose work was verified.
 */

import {
  limits,
  parseId,
  refuse,
  Refusal,
  type Fact,
  type JobId,
  type JobRow,
  type TradeTx,
  type WorkerRecord,
} from '@assay/core';
import { refundJob, settleJob } from './settle-job.ts';
import type { TradeDeps } from './trade-deps.ts';

export type FollowDeps = Pick<TradeDeps, 'store' | 'ledger' | 'ids' | 'terms'>;

/** The checkpoint of the follower that moves money. */
export const followerName = 'trade';

/** Follows what is new; returns how many facts it took. Faults `ledger.unavailable`. */
export async function followLedger(deps: FollowDeps): Promise<number> {
  const from = await deps.store.transaction((tx) => tx.trail.checkpoint(followerName));
  const facts = await deps.ledger.facts(from + 1n, limits.factBatch);
  const batches = batchesOf(facts);
  let ahead: Records | undefined;
  for (const [index, batch] of batches.entries()) {
    const records = ahead;
    ahead = recordsAhead(deps, batches[index + 1]);
    try {
      await inOrder(deps, batch, (tx, fact) => follow(deps, tx, fact, records));
    } catch (error) {
      // The fact contradicts our books, as when somebody called the contract by hand: the money stays where it is, an
      // operator must look at it, and the others go on. A window that is still open passes with time.
      if (!(error instanceof Refusal) || error.code === 'escrow.window_open') throw error;
      await inOrder(deps, batch, (tx, fact) => setAside(tx, fact, error));
    }
  }
  return facts.length;
}

type Records = Promise<readonly WorkerRecord[]>;

/**
 * Counts what was done for the job that is settled next, while the one before it is settled: once a job is verified,
 * nothing changes of what is paid for.
 */
function recordsAhead(deps: FollowDeps, batch: readonly Fact[] | undefined): Records | undefined {
  const fact = batch?.find((one) => movesMoney(one) && one.name === 'ContractCompleted');
  const job = fact && jobOf(fact);
  if (job === undefined) return undefined;
  const records = deps.store.transaction((tx) => tx.earnings.records(job));
  // The settlement fails with it; where there is none, nobody needs it.
  records.catch(() => undefined);
  return records;
}

/** Handles the facts that are new in one transaction with the checkpoint. */
async function inOrder(
  deps: FollowDeps,
  batch: readonly Fact[],
  handle: (tx: TradeTx, fact: Fact) => Promise<void>,
): Promise<void> {
  await deps.store.transaction(async (tx) => {
    const at = await tx.trail.checkpoint(followerName);
    const fresh = batch.filter((fact) => fact.position > at);
    for (const fact of fresh) await handle(tx, fact);
    const last = fresh.at(-1);
    if (last) await tx.trail.moveCheckpoint(followerName, last.position);
  });
}

async function setAside(tx: TradeTx, fact: Fact, refusal: Refusal): Promise<void> {
  const job = jobOf(fact);
  if (job === undefined) return;
  await tx.jobs.step(job, { kind: 'flag', problem: `${fact.name}: ${refusal.message}` });
  const data = { fact: fact.name, txId: fact.txId, code: refusal.code };
  await tx.trail.audit({ actor: 'system', action: 'fact.contradicts', ref: job, data });
}

/** A fact that moves money has a transaction of its own, so that its locks are short and a refusal concerns it alone. */
function batchesOf(facts: readonly Fact[]): Fact[][] {
  const batches: Fact[][] = [];
  let open: Fact[] | undefined;
  for (const fact of facts) {
    if (movesMoney(fact)) {
      batches.push([fact]);
      open = undefined;
    } else if (open) {
      open.push(fact);
    } else {
      open = [fact];
      batches.push(open);
    }
  }
  return batches;
}

function movesMoney(fact: Fact): boolean {
  return fact.contract === 'Contract' && (fact.name === 'ContractCompleted' || fact.name === 'ContractRefunded');
}

async function follow(deps: FollowDeps, tx: TradeTx, fact: Fact, records?: Records): Promise<void> {
  const id = jobOf(fact);
  if (id === undefined) return;
  const job = movesMoney(fact) ? await tx.jobs.lock(id) : await tx.jobs.find(id);
  if (!job) return;
  if (movesMoney(fact)) await moveMoney({ ...deps, records }, tx, fact, job);
  const data = { name: fact.name, contract: fact.contract, block: fact.block.toString(), txId: fact.txId };
  await tx.trail.change({ kind: 'fact', job: job.id, account: job.customer, data });
}

async function moveMoney(
  deps: FollowDeps & { readonly records: Records | undefined },
  tx: TradeTx,
  fact: Fact,
  job: JobRow,
): Promise<void> {
  const end = fact.name === 'ContractCompleted' ? 'completed' : 'refunded';
  if (job.state === end) return;
  if (job.state === 'disputed') await requireRuling(tx, job, end);
  if (end === 'refunded') return await refundJob(deps, tx, job);
  if (job.releaseRequested || job.state !== 'verified') return await settleJob(deps, tx, job);
  try {
    await settleJob(deps, tx, job);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'escrow.window_open') throw error;
    // Waiting for the window of a release that we did not request would hold up everybody's money behind it.
    throw refuse('job.wrong_state', 'nobody requested this release, and the window is open', { job: job.id });
  }
}

/** The ledger lets an arbiter's key decide by hand, but only a ruling of ours has passed the rules: no party, a reason. */
async function requireRuling(tx: TradeTx, job: JobRow, end: 'completed' | 'refunded'): Promise<void> {
  const dispute = await tx.disputes.ofJob(job.id);
  const ruled = dispute?.outcome === 'refund' ? 'refunded' : 'completed';
  if (dispute?.state !== 'resolved' || ruled !== end) {
    throw refuse('job.wrong_state', 'the dispute has no ruling that says so', { job: job.id });
  }
}

function jobOf(fact: Fact): JobId | undefined {
  const payload: unknown = JSON.parse(fact.payload);
  if (typeof payload !== 'object' || payload === null || !('job' in payload)) return undefined;
  return parseId('job', payload.job);
}
