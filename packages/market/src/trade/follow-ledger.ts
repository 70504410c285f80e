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
import { refundDisputed } from './refund-disputed.ts';
import { settleJobs } from './settle-job.ts';
import type { TradeDeps } from './trade-deps.ts';

export type FollowDeps = Pick<TradeDeps, 'store' | 'ledger' | 'ids' | 'terms'>;

/** The checkpoint of the follower that moves money. */
export const followerName = 'trade';

/** Follows what is new; returns how many facts it took. Faults `ledger.unavailable`. */
export async function followLedger(deps: FollowDeps): Promise<number> {
  const from = await deps.store.transaction((tx) => tx.trail.checkpoint(followerName));
  const facts = await deps.ledger.facts(from + 1n, limits.factBatch);
  const [first, ...rest] = batchesOf(facts);
  let ahead = countAhead(deps, first ?? []);
  for (let batch = first; batch !== undefined; batch = rest.shift()) {
    // Before the transaction that needs it begins: one must not wait for another that still wants a connection.
    const records = await ahead;
    ahead = countAhead(deps, rest[0] ?? []);
    // Whoever waits for it hears of it; an earlier failure comes first.
    ahead.catch(() => undefined);
    await followBatch({ ...deps, recordsOf: (job) => records.get(job) }, batch);
  }
  return facts.length;
}

interface BatchDeps extends FollowDeps {
  /** What workers did for a job, where it was counted ahead. */
  readonly recordsOf: (job: JobId) => readonly WorkerRecord[] | undefined;
}

/** Follows facts together, and where one of them is refused, each by itself, so that a refusal concerns it alone. */
async function followBatch(deps: BatchDeps, batch: readonly Fact[]): Promise<void> {
  try {
    await inOrder(deps, batch, (tx, fresh) => follow(deps, tx, fresh));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (batch.length > 1) {
      for (const fact of batch) await followBatch(deps, [fact]);
      return;
    }
    // The fact contradicts our books, as when somebody called the contract by hand: the money stays where it is, an
    // operator must look at it, and the others go on. A window that is still open passes with time.
    if (error.code === 'escrow.window_open') throw error;
    await inOrder(deps, batch, (tx, fresh) => setAside(tx, fresh, error));
  }
}

/**
 * Counts what was done for the jobs that are settled next, two at a time and while those before them are settled: once a
 * job is verified, nothing changes of what is paid for.
 */
async function countAhead(
  deps: FollowDeps,
  batch: readonly Fact[],
): Promise<ReadonlyMap<JobId, readonly WorkerRecord[]>> {
  const ended = batch.filter((fact) => movesMoney(fact) && fact.name === 'ContractCompleted');
  const waiting = [...new Set(ended.flatMap((fact) => jobOf(fact) ?? []))];
  const counted = new Map<JobId, readonly WorkerRecord[]>();
  const lane = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const id = job;
      counted.set(id, await deps.store.transaction((tx) => tx.earnings.records(id)));
    }
  };
  await Promise.all([lane(), lane()]);
  return counted;
}

/** Handles the facts that are new in one transaction with the checkpoint. */
async function inOrder(
  deps: FollowDeps,
  batch: readonly Fact[],
  handle: (tx: TradeTx, fresh: readonly Fact[]) => Promise<void>,
): Promise<void> {
  await deps.store.transaction(async (tx) => {
    const at = await tx.trail.checkpoint(followerName);
    const fresh = batch.filter((fact) => fact.position > at);
    const last = fresh.at(-1);
    if (last === undefined) return;
    await handle(tx, fresh);
    await tx.trail.moveCheckpoint(followerName, last.position);
  });
}

async function setAside(tx: TradeTx, facts: readonly Fact[], refusal: Refusal): Promise<void> {
  for (const fact of facts) {
    const job = jobOf(fact);
    if (job === undefined) continue;
    await tx.jobs.step(job, { kind: 'flag', problem: `${fact.name}: ${refusal.message}` });
    const data = { fact: fact.name, txId: fact.txId, code: refusal.code };
    await tx.trail.audit({ actor: 'system', action: 'fact.contradicts', ref: job, data });
  }
}

/** Facts that are followed in one transaction; those that move money are few in each, so that locks are short. */
function batchesOf(facts: readonly Fact[]): Fact[][] {
  const batches: Fact[][] = [];
  let open: Fact[] = [];
  let moving = 0;
  for (const fact of facts) {
    if (movesMoney(fact) && moving === limits.settledTogether) {
      batches.push(open);
      open = [];
      moving = 0;
    }
    open.push(fact);
    if (movesMoney(fact)) moving += 1;
  }
  if (open.length > 0) batches.push(open);
  return batches;
}

function movesMoney(fact: Fact): boolean {
  return fact.contract === 'Contract' && (fact.name === 'ContractCompleted' || fact.name === 'ContractRefunded');
}

/** Moves the money that facts move, in their order, and tells the change feed of all of them. */
async function follow(deps: BatchDeps, tx: TradeTx, facts: readonly Fact[]): Promise<void> {
  const about = facts.flatMap((fact) => {
    const job = jobOf(fact);
    return job === undefined ? [] : [{ fact, job }];
  });
  const moving = new Set(about.filter(({ fact }) => movesMoney(fact)).map(({ job }) => job));
  const others = new Set(about.map(({ job }) => job).filter((job) => !moving.has(job)));
  const [locked, found] = await Promise.all([
    tx.jobs.lockAll([...moving].toSorted()),
    Promise.all([...others].map((job) => tx.jobs.find(job))),
  ]);
  const jobs = new Map([...locked, ...found].flatMap((job) => (job === undefined ? [] : [[job.id, job] as const])));
  let completed: JobRow[] = [];
  for (const { fact, job: id } of about) {
    const job = jobs.get(id);
    const end = fact.name === 'ContractCompleted' ? 'completed' : 'refunded';
    if (job === undefined || !movesMoney(fact) || job.state === end) continue;
    if (job.state === 'disputed') await requireRuling(tx, job, end);
    if (end === 'completed') {
      completed.push(job);
    } else {
      await settle(deps, tx, completed);
      completed = [];
      await refundDisputed(deps, tx, job);
    }
  }
  await settle(deps, tx, completed);
  await Promise.all(about.map(({ fact, job }) => tell(tx, fact, jobs.get(job))));
}

async function tell(tx: TradeTx, fact: Fact, job: JobRow | undefined): Promise<void> {
  if (job === undefined) return;
  const data = { name: fact.name, contract: fact.contract, block: fact.block.toString(), txId: fact.txId };
  await tx.trail.change({ kind: 'fact', job: job.id, account: job.customer, data });
}

async function settle(deps: BatchDeps, tx: TradeTx, jobs: readonly JobRow[]): Promise<void> {
  const [job, ...others] = jobs;
  if (job === undefined) return;
  try {
    await settleJobs(deps, tx, jobs);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'escrow.window_open' || others.length > 0) throw error;
    if (job.releaseRequested || job.state !== 'verified') throw error;
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
