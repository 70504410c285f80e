export { openEmbeddedLedger, type EmbeddedLedger, type EmbeddedLedgerOptions } from './embedded-ledger.ts';
export { agreeOnWindow, challengeWindowOn } from './agree-on-window.ts';
export { ledgerKeyFromSeed, loadLedgerKey, type LedgerKey } from './keys.ts';
export { verifyLedger, verifyLedgerIn, type LedgerReport, type VerifyOptions } from './verify-ledger.ts';
export type { LedgerProblem } from './replay.ts';
export { followFacts, followOnce, type FactFollower, type FollowOptions } from './follow-facts.ts';
export {
  blockDetail,
  blocksAfter,
  channelOf,
  factsOfJob,
  findOnLedger,
  historyOfWorker,
  listBlocks,
  listFacts,
  transactionAt,
  transactionById,
  transactionsOf,
  type BlockDetail,
  type BlockSummary,
  type Found,
  type PlacedTransaction,
  type RecordChange,
} from './explorer.ts';
export { signatureOf, type SignatureState } from './explorer-signature.ts';
export { ledgerFigures, type LedgerFigures } from './ledger-figures.ts';
export type { GatewayBenchOptions } from './fabric/bench-gateway.ts';
export { benchLedger, type LedgerBenchOptions, type LedgerBenchResult } from './bench-ledger.ts';
export { benchLeaves, type LeavesBenchOptions, type LeavesBenchResult } from './bench-leaves.ts';
export { benchSigned, type SignedBenchOptions, type SignedBenchResult } from './bench-signed.ts';
export { benchSignatureChecks, type SignatureBenchOptions } from './bench-signature-checks.ts';
export { benchGateway, openFabricLedger, verifyFabricLedger, voteOnFabric } from './fabric/on-demand.ts';
export type { FabricLedger, FabricLedgerOptions } from './fabric/fabric-ledger.ts';
export type { VoteOptions, VoteResult } from './fabric/vote.ts';
export type { VerifyFabricOptions } from './fabric/verify-fabric.ts';
export { startNetwork, stopNetwork, type NetworkOptions, type StartedNetwork } from './fabric/network/network.ts';
export { makeMaterial, type MakeMaterialOptions } from './fabric/network/deploy/make-material.ts';
export type { Deployment } from './fabric/network/deploy/units.ts';
export { deploymentFormats, writeDeployment, type DeploymentFormat } from './fabric/network/deploy/write-deployment.ts';
export { joinNetwork, type JoinOptions } from './fabric/network/join-network.ts';
export { networkStatus, type NetworkStatus } from './fabric/network/network-status.ts';
export { orderings, type Ordering } from './fabric/network/topology.ts';
export { toolsFolder } from './fabric/network/tools.ts';
