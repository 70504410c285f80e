/** Who may call what: one table for the contracts, the gateway and the reference page. */

import type { Call, ContractVersion } from './call.ts';
import type { ContractName } from '@assay/core';

export const ledgerRoles = ['orchestrator', 'worker', 'arbiter', 'auditor', 'governor'] as const;
export type LedgerRole = (typeof ledgerRoles)[number];

/** The organisation that runs the orchestrator. */
export const platformMsp = 'PlatformMSP';
/** The organisation of those who run workers. */
export const workerMsp = 'WorkerMSP';

/**
 * Roles that only the platform's own certificate authority can give: on a network of several organisations every one
 * of them may put any attribute into its members' certificates.
 */
const platformRoles: ReadonlySet<LedgerRole> = new Set(['orchestrator', 'arbiter']);

export interface FunctionRow {
  /** Names of the arguments, all strings. */
  readonly args: readonly string[];
  /** `submit` writes and needs a transaction; `evaluate` only reads. */
  readonly kind: 'submit' | 'evaluate';
  readonly roles: readonly LedgerRole[];
  /** The version of the contracts that brought it; 1 where nothing is said. */
  readonly since?: ContractVersion;
}

const orchestrator: readonly LedgerRole[] = ['orchestrator'];
const write = (roles: readonly LedgerRole[], ...args: readonly string[]): FunctionRow => ({
  args,
  kind: 'submit',
  roles,
});
const read = (...args: readonly string[]): FunctionRow => ({ args, kind: 'evaluate', roles: ledgerRoles });

/** Every function of the four contracts (D5). */
export const contractFunctions: Readonly<Record<ContractName, Readonly<Record<string, FunctionRow>>>> = {
  Marketplace: {
    listContract: write(orchestrator, 'contractId', 'details'),
    getAvailableContracts: read('filters'),
    claimContract: write(['orchestrator', 'worker'], 'workerId', 'contractId'),
  },
  Contract: {
    activateContract: write(orchestrator, 'contractId'),
    submitWork: write(orchestrator, 'contractId', 'proofHash', 'resultHash'),
    verifyWork: write(orchestrator, 'contractId'),
    completeContract: write(orchestrator, 'contractId'),
    disputeContract: write(orchestrator, 'contractId', 'reasonHash'),
    resolveDispute: write(['arbiter'], 'contractId', 'outcome', 'reasonHash'),
    cancelContract: write(orchestrator, 'contractId'),
    refundContract: write(orchestrator, 'contractId'),
    getContract: read('contractId'),
    sealDetails: write(orchestrator, 'contractId'),
    getSealed: read('contractId'),
    getSealedHash: read('contractId'),
  },
  Reputation: {
    recordResult: write(orchestrator, 'workerId', 'success', 'metrics'),
    recordResults: write(orchestrator, 'contractId', 'part', 'results'),
    getReputation: read('workerId'),
    slashReputation: write(['orchestrator', 'arbiter'], 'workerId', 'reason'),
  },
  EscrowTrigger: {
    startChallengeTimer: write(orchestrator, 'contractId', 'startedAtMs', 'deadlineMs'),
    triggerPayout: write(orchestrator, 'contractId'),
    triggerRefund: write(orchestrator, 'contractId'),
    getEscrowStatus: read('contractId'),
    voteOnChallengeWindow: { ...write(['governor'], 'minMs', 'maxMs', 'votes'), since: 2 },
    getChallengeWindow: { ...read(), since: 2 },
  },
};

/** The certificate attribute that carries a role; its value is `true`. */
export function roleAttribute(role: LedgerRole): string {
  return `assay.${role}`;
}

/** Whether the caller's certificate carries `role`, from an organisation that may give it. */
export function hasRole(ctx: Call, role: LedgerRole): boolean {
  const { clientIdentity } = ctx;
  if (platformRoles.has(role) && clientIdentity.getMSPID() !== platformMsp) return false;
  return clientIdentity.assertAttributeValue(roleAttribute(role), 'true');
}
