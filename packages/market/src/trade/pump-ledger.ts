/**
 * The way to the ledger: what the outbox holds is submitted, in order per job. The key of each call makes a repeated
 * submission harmless, so that a crash between the ledger's commit and ours is mended by sending again.
 */

import { Fault, limits, type JobId, type OutboxMessage, type OutboxResult, type SubmissionOutcome } from '@assay/core';
import { arbiterCalls, storedCall } from './ledger-call.ts';
import type { TradeDeps } from './trade-deps.ts';

export type LedgerDeps = Pick<TradeDeps, 'store' | 'ledger' | 'identities'>;

/** Refusals that pass with time. */
const passing: ReadonlySet<string> = new Set([
  'escrow.window_open',
  'ledger.conflict',
  'ledger.newer_state',
  'ledger.unavailable',
]);

/** Submits what is ready; returns how many calls it took. An outage of the ledger leaves them for later and faults. */
export async function pumpLedger(deps: LedgerDeps): Promise<number> {
  const messages = await deps.store.transaction((tx) =>
    tx.outbox.claim({ kinds: ['ledger'], limit: limits.outboxBatch }),
  );
  const byRole = Map.groupBy(messages, (message) => (arbiterCalls.has(message.op) ? 'arbiter' : 'orchestrator'));
  for (const [role, batch] of byRole) await submit(deps, role, batch);
  return messages.length;
}

async function submit(
  deps: LedgerDeps,
  role: 'arbiter' | 'orchestrator',
  batch: readonly OutboxMessage[],
): Promise<void> {
  const calls = batch.map((message) => ({ ...storedCall(message), idempotencyKey: message.key }));
  let outcomes: readonly SubmissionOutcome[];
  try {
    outcomes = await deps.ledger.submit(calls, deps.identities[role]);
  } catch (error) {
    if (!(error instanceof Fault) || !error.retry) throw error;
    await finishAll(deps, batch, () => ({ kind: 'unknown', error: error.message }));
    throw error;
  }
  await finishAll(deps, batch, (index) => resultOf(outcomes[index]));
}

function resultOf(outcome: SubmissionOutcome | undefined): OutboxResult {
  if (outcome?.kind === 'committed') return { kind: 'done', providerId: outcome.txId };
  if (outcome?.kind === 'refused' && !passing.has(outcome.code)) {
    return { kind: 'failed', error: `${outcome.code}: ${outcome.message}` };
  }
  return { kind: 'retry', error: outcome?.message ?? 'no outcome' };
}

async function finishAll(
  deps: LedgerDeps,
  batch: readonly OutboxMessage[],
  result: (index: number) => OutboxResult,
): Promise<void> {
  const told = batch.map((message, index) => ({ message, one: result(index) }));
  await deps.store.transaction(async (tx) => {
    const refused: [OutboxMessage, string][] = [];
    // Jobs are locked before the audit log, which a message that waits for a human is written into, as everywhere else.
    for (const { message, one } of told) {
      if (one.kind !== 'failed' || !(await tx.outbox.finish(message, one))) continue;
      refused.push([message, one.error]);
      await tx.jobs.step(message.ref as JobId, { kind: 'flag', problem: `${message.op}: ${one.error}` });
    }
    const others = told.filter(({ one }) => one.kind !== 'failed');
    await Promise.all(others.map(({ message, one }) => tx.outbox.finish(message, one)));
    for (const [message, error] of refused) {
      const data = { op: message.op, error };
      await tx.trail.audit({ actor: 'system', action: 'ledger.refused', ref: message.ref, data });
    }
  });
}
