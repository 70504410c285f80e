export { Contract, sealedCollection, transientSealed } from './contract.ts';
export { EscrowTrigger } from './escrow-trigger.ts';
export { Marketplace } from './marketplace.ts';
export { Reputation } from './reputation.ts';
export { contracts, contractsOf } from './contract-classes.ts';
export { contractVersions, newestVersion, type ContractVersion } from './call.ts';
export type { ChallengeWindow } from './challenge-window.ts';
export { factNames, type FactName } from './facts.ts';
export {
  contractFunctions,
  ledgerRoles,
  platformMsp,
  workerMsp,
  roleAttribute,
  type FunctionRow,
  type LedgerRole,
} from './roles.ts';
export {
  contractRows,
  contractStates,
  escrowRows,
  escrowStatuses,
  type ContractState,
  type EscrowStatus,
} from './states.ts';
export { doneKeyType } from './records.ts';
export { transientKey } from './ledger-contract.ts';
export type { ContractRecord, EscrowRecord, ListingDetails, ReputationRecord } from './records.ts';
