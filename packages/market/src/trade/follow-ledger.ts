/**
 * The ledger's facts, in order, each once: the checkpoint moves in the transaction that acts on them. Only here does
 * money leave an escrow whose work was verified.
 */

import { limits, parseId, Refusal, type Fact, type JobId, type JobRow, type TradeTx } from '@assay/core';
import { refundJob, settleJob } from './settle-job.ts';
import type { TradeDeps } from './trade-deps.ts';

export type FollowDeps = Pick<TradeDeps, 'store' | 'ledger' | 'ids' | 'terms'>;

/** The checkpoint of the follower that moves money. */
export const followerName = 'trade';

/** Follows what is new; returns how many facts it took. Faults `ledger.unavailable`. */
export async function followLedger(deps: FollowDeps): Promise<number> {
  const from = await deps.store.transaction((tx) => tx.trail.checkpoint(followerName));
  const facts = await deps.ledger.facts(from + 1n, limits.factBatch);
  for (const batch of batchesOf(facts)) {
    await deps.store.transaction(async (tx) => {
      const at = await tx.trail.checkpoint(followerName);
      const fresh = batch.filter((fact) => fact.position > at);
      for (const fact of fresh) await follow(deps, tx, fact);
      const last = fresh.at(-1);
      if (last) await tx.trail.moveCheckpoint(followerName, last.position);
    });
  }
  return facts.length;
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

async function follow(deps: FollowDeps, tx: TradeTx, fact: Fact): Promise<void> {
  const id = jobOf(fact);
  if (id === undefined) return;
  const job = movesMoney(fact) ? await tx.jobs.lock(id) : await tx.jobs.find(id);
  if (!job) return;
  try {
    if (movesMoney(fact)) await moveMoney(deps, tx, fact, job);
  } catch (error) {
    // The fact contradicts our books, as when somebody called the contract by hand: an operator must look at it.
    if (!(error instanceof Refusal) || error.code !== 'job.wrong_state') throw error;
    await tx.jobs.step(job.id, { kind: 'flag', problem: `${fact.name}: ${error.message}` });
    await tx.trail.audit({ actor: 'system', action: 'fact.contradicts', ref: job.id, data: { fact: fact.name } });
  }
  const data = { name: fact.name, contract: fact.contract, block: fact.block.toString(), txId: fact.txId };
  await tx.trail.change({ kind: 'fact', job: job.id, account: job.customer, data });
}

async function moveMoney(deps: FollowDeps, tx: TradeTx, fact: Fact, job: JobRow): Promise<void> {
  if (fact.name === 'ContractCompleted') {
    if (job.state !== 'completed') await settleJob(deps, tx, job);
  } else if (job.state !== 'refunded') {
    await refundJob(deps, tx, job);
  }
}

function jobOf(fact: Fact): JobId | undefined {
  const payload: unknown = JSON.parse(fact.payload);
  if (typeof payload !== 'object' || payload === null || !('job' in payload)) return undefined;
  return parseId('job', payload.job);
}
