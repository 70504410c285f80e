export type { Branded } from './branded.ts';
/** The face of the core: every name that other packages may use. */

export {
  idPattern,
  idPrefixes,
  newId,
  parseId,
  uuidV7Source,
  type AccountId,
  type ApiKeyId,
  type DisputeId,
  type Id,
  type IdKind,
  type IdSource,
  type JobId,
  type PaymentId,
  type PayoutAccountId,
  type PayoutId,
  type RefundId,
  type ReplicaId,
  type RequestId,
  type SessionId,
  type UnitId,
  type WorkerId,
} from './ids.ts';
export {
  add,
  currencyExponents,
  formatAmount,
  formatMoney,
  isCurrency,
  money,
  moneyFromJson,
  moneyToJson,
  parseAmount,
  split,
  subtract,
  times,
  type Currency,
  type Money,
  type MoneyJson,
} from './money.ts';
export { isoTime, type Clock } from './clock.ts';
export { assert, Fault, Refusal, refuse, unreachable, type Details } from './errors.ts';
export { errorCodes, isErrorCode, type ErrorCode } from './error-codes.ts';
export {
  emptySha256,
  canonicalJson,
  fromHex,
  hashOf,
  parseSha256,
  toHex,
  utf8,
  type CanonicalValue,
  type Sha256,
  type Sha256Hex,
} from './hash.ts';
export {
  merkleLeaf,
  merkleNode,
  merklePath,
  merklePathOfHashes,
  merkleRoot,
  merkleRootOfHashes,
  verifyMerklePath,
  type MerkleClaim,
} from './merkle.ts';
export { rootOfSidedPath, sidedPath } from './merkle-sides.ts';
export { isSafePath, safeFolderPattern, safePathPattern, treeDigest, type Tree, type TreeFile } from './tree.ts';
export { limits } from './limits.ts';
export { nearestKey } from './nearest-key.ts';
export {
  decimalShape,
  described,
  flagShape,
  integerShape,
  listShape,
  oneOfShape,
  recordShape,
  textShape,
  withDefault,
  type FaultKind,
  type JsonSchema,
  type Report,
  type Shape,
  type ShapeFault,
  type ShapeOf,
} from './shape.ts';
export { isFinal, may, statesBefore, transition, type Stateful, type StateTable } from './transition.ts';
export { escrowStatesOfJob, jobEvents, jobStates, jobTable, type JobEvent, type JobState } from './job.ts';
export {
  escrowEvents,
  escrowStates,
  escrowTable,
  holdingStates,
  type EscrowEvent,
  type EscrowState,
} from './escrow.ts';
export { unitEvents, unitKinds, unitStates, unitTable, type UnitEvent, type UnitKind, type UnitState } from './unit.ts';
export { replicaEvents, replicaStates, replicaTable, type ReplicaEvent, type ReplicaState } from './replica.ts';
export {
  manifestSchema,
  manifestShape,
  verificationTypes,
  type Manifest,
  type Verification,
  type VerificationType,
} from './manifest-shape.ts';
export {
  budgetOf,
  canonicalManifest,
  comparatorOf,
  manifestFromCanonical,
  manifestHash,
  missingFiles,
  parseManifest,
  parseManifestText,
  timeoutMsOf,
  unitCountOf,
  type ManifestFault,
  type ManifestRules,
} from './manifest.ts';
export {
  canonicalOf,
  groupsOf,
  hasTwoQuorums,
  isFailure,
  quorumOf,
  type Comparator,
  type Group,
  type Result,
} from './verdict.ts';
export {
  assess,
  type AgreedAssessment,
  type Assessment,
  type EvidenceOf,
  type ReplicaEvidence,
  type ReplicationPolicy,
  type UnitEvidence,
} from './replication.ts';
export {
  mayTake,
  placementReasons,
  type IndependenceKeys,
  type Placement,
  type PlacementReason,
  type UnitNeeds,
  type WorkerProfile,
} from './placement.ts';
export { isPrivateBlock, networkBlock } from './network-block.ts';
export { readMetric } from './metrics-file.ts';
export {
  pricePerReplica,
  quoteJob,
  standardRateCard,
  termsHash,
  type JobTerms,
  type Quote,
  type RateCard,
} from './quote.ts';
export { rulingHash, type Ruling } from './ruling.ts';
export {
  receiptFormat,
  receiptText,
  type EnvelopeLeaf,
  type Receipt,
  type ReceiptComparator,
  type ReceiptDevice,
  type ReceiptFact,
  type ReceiptHead,
  type ReceiptLedger,
  type ReceiptMoney,
  type ReceiptPayee,
  type ReceiptReplica,
  type ReceiptTerms,
  type ReceiptUnit,
} from './receipt.ts';
export {
  assembleReceipt,
  receiptComparator,
  type ReceiptSource,
  type SourceExchange,
  type SourcePayee,
  type SourceReplica,
  type SourceUnit,
} from './receipt-assembly.ts';
export {
  commissionOn,
  commissionUpTo,
  standardCommission,
  turnoverMonth,
  type CommissionTerms,
  type CommissionTier,
} from './commission.ts';
export {
  newReputation,
  recordReplica,
  reputationBounds,
  slash,
  type Reputation,
  type ReputationEvent,
} from './reputation.ts';
export {
  batchRoots,
  commitLeaf,
  commitmentOf,
  envelopeText,
  exchangeLeaves,
  exitCodeOf,
  statementLeaf,
  statementsRoot,
  verdictLeaf,
  type Envelope,
  type JudgedUnit,
  type ResultStatement,
  type UnitVerdict,
} from './statement.ts';
export { deviceRequestText, type DeviceRequest } from './device-request.ts';
export { regions, type ObjectStore, type PutLimits, type Region, type StoredObject } from './ports/object-store.ts';
export {
  type Capabilities,
  type Movement,
  type Outcome,
  type PaymentProvider,
  type PaymentRequest,
  type PaymentState,
  type PayoutRequest,
  type PayoutState,
  type ProviderPayment,
  type ProviderPayout,
  type ProviderRefund,
  type RefundRequest,
  type RefundState,
  type WebhookNotice,
} from './ports/payment-provider.ts';
export {
  contractNames,
  headMessage,
  transactionCodes,
  type BlockHeader,
  type ConsistencyProof,
  type ContractName,
  type Fact,
  type InclusionProof,
  type Ledger,
  type LedgerIdentity,
  type SignedHead,
  type StateVersion,
  type Submission,
  type SubmissionOutcome,
  type TransactionCode,
  type TransactionRecord,
} from './ports/ledger.ts';
export {
  type DriverReport,
  type Ending,
  type InputFile,
  type LogSink,
  type SandboxDriver,
  type SandboxLimits,
  type SandboxOutcome,
  type SandboxUnit,
  type Usage,
} from './ports/sandbox.ts';
export type {
  PoolQuery,
  Taker,
  Upload,
  WorkChanges,
  JobAdvance,
  WorkLocks,
  WorkReads,
  WorkStore,
  WorkTx,
  WorkWake,
  WorkWrites,
} from './ports/work-store.ts';
export type {
  ClaimRow,
  CommitRow,
  DecidedRow,
  EndRow,
  ExchangeRow,
  HeldReplica,
  JobChange,
  JobProgress,
  LoadedUnits,
  NewExchange,
  OfferRow,
  OpenUnits,
  OpenVerdict,
  Taken,
  RefusedItem,
  ReplicaGlimpse,
  ReplicaRow,
  RevealRow,
  UnitChange,
  UnitRow,
  VerdictBatch,
  WorkDesk,
  WorkerRow,
  WorkJobRow,
} from './ports/work-rows.ts';
export {
  type BooksFault,
  type InboxMessage,
  type JobStanding,
  type JournalAccount,
  type JournalEntry,
  type JournalLine,
  type JournalPosting,
  type OutboxMessage,
  type OutboxResult,
  type ReceiptEvidence,
} from './ports/book-rows.ts';
export {
  type BookedAs,
  type DisputeOutcome,
  type DisputeRow,
  type DisputeRuling,
  type Earning,
  type JobOrder,
  type JobRow,
  type JobStep,
  type NewJob,
  type NewTransfer,
  type Payee,
  type PayoutShare,
  type Debt,
  type RefundReason,
  type TransferChange,
  type TransferId,
  type TransferRow,
  type TransferState,
  type WorkerRecord,
} from './ports/trade-rows.ts';
export {
  type DisputeBook,
  type EarningBook,
  type EscrowTimes,
  type Inbox,
  type JobBook,
  type MoneyBook,
  type Outbox,
  type OutboxQuery,
  type TradeChannel,
  type TradeStore,
  type TradeTx,
  type Trail,
  type TransferBook,
} from './ports/trade-store.ts';
export { verifyMerkleConsistency, type ConsistencyClaim } from './merkle-consistency.ts';
