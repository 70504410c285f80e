/** Votes on the bounds of challenge windows, for deployments that hold several organisations' keys. */

import { platformMsp, workerMsp, type ChallengeWindow } from '@assay/contracts';
import { Fault, limits, type Ledger, type LedgerIdentity } from '@assay/core';

type Calls = Pick<Ledger, 'evaluate' | 'submit'>;

const reader: LedgerIdentity = { mspId: platformMsp, name: 'auditor', roles: ['auditor'] };

/** The bounds that are in force. */
export async function challengeWindowOn(ledger: Calls): Promise<ChallengeWindow> {
  return JSON.parse(await ledger.evaluate('EscrowTrigger', 'getChallengeWindow', [], reader)) as ChallengeWindow;
}

/**
 * Sets the least length of windows by the votes of `organizations`, whose keys must all be here: those of an embedded
 * ledger or of a network on this machine. Both votes stand on the ledger. Faults where they do not suffice.
 */
export async function agreeOnWindow(
  ledger: Calls,
  minMs: number,
  organizations: readonly string[] = [platformMsp, workerMsp],
): Promise<void> {
  const rule = await challengeWindowOn(ledger);
  if (rule.minMs === minMs) return;
  let isDecided = false;
  for (const mspId of organizations) {
    const vote = {
      contract: 'EscrowTrigger' as const,
      fn: 'voteOnChallengeWindow',
      args: [String(minMs), String(limits.challengeWindowMs), String(rule.votes)],
      // Servers that start at the same time cast one vote.
      idempotencyKey: `window/${rule.sinceMs}/${minMs}/${mspId}`,
    };
    const [outcome] = await ledger.submit([vote], { mspId, name: 'governor', roles: ['governor'] });
    if (outcome?.kind !== 'committed') {
      throw new Fault('ledger.unavailable', `${mspId} could not vote on the challenge window`, { retry: true });
    }
    ({ decided: isDecided } = JSON.parse(outcome.result) as { decided: boolean });
  }
  if (!isDecided) {
    throw new Fault('ledger.unavailable', `a challenge window of ${minMs} ms needs ${rule.votes} votes`, {
      retry: false,
    });
  }
}
