/** Calls of the ledger's contracts on their way through the outbox: in order per job, once per key. */

import { refuse, type ContractName, type JobId, type OutboxMessage, type TradeTx } from '@assay/core';

/** `Contract.function` of the calls that trade makes. */
export type LedgerCall =
  | 'Marketplace.listContract'
  | 'Contract.activateContract'
  | 'Contract.verifyWork'
  | 'Contract.completeContract'
  | 'Contract.disputeContract'
  | 'Contract.resolveDispute'
  | 'Contract.cancelContract'
  | 'Contract.refundContract'
  | 'EscrowTrigger.startChallengeTimer'
  | 'EscrowTrigger.triggerPayout'
  | 'EscrowTrigger.triggerRefund'
  | 'Reputation.recordResults';

/** Puts a call about `job` into the outbox; each call happens once per job and `part`. */
export async function queueLedger(
  tx: TradeTx,
  job: JobId,
  call: LedgerCall,
  args: readonly string[],
  part = 0,
): Promise<void> {
  const [contract, fn] = call.split('.');
  await tx.outbox.add({
    kind: 'ledger',
    op: call,
    ref: job,
    key: `${job}/${fn}/${part}`,
    request: { contract, fn, args: [job, ...args] },
  });
}

/** What the pump submits; the arbiter's identity signs rulings. */
export interface StoredCall {
  readonly contract: ContractName;
  readonly fn: string;
  readonly args: readonly string[];
}

/** Reads a stored call. */
export function storedCall(message: OutboxMessage): StoredCall {
  const { contract, fn, args } = message.request;
  if (typeof contract !== 'string' || typeof fn !== 'string' || !Array.isArray(args)) {
    throw refuse('ledger.refused', 'the outbox holds something that is no call', { id: message.id.toString() });
  }
  return { contract: contract as ContractName, fn, args: args as string[] };
}

/** Calls that only the arbiter may sign. */
export const arbiterCalls: ReadonlySet<string> = new Set<LedgerCall>(['Contract.resolveDispute']);
