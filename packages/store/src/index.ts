export { openDatabase, type Database, type DatabaseOptions, type Sql, type Tx } from './database.ts';
export { isUniqueViolation } from './sql-errors.ts';
export { migrate, readMigrations, type Migration } from './migrate.ts';
export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded.ts';
export { runningPostgres } from './embedded-attach.ts';
export { databaseName, roles } from './embedded-roles.ts';
export { addAccount, findAccountByEmail, replacePasswordHash, setRoles, type AccountRow } from './identity/accounts.ts';
export {
  addSession,
  addTicket,
  endOtherSessions,
  endSession,
  endSessionOf,
  findSession,
  readSessions,
  takeTicket,
  type Bearer,
  type SessionRow,
  type SessionView,
} from './identity/sessions.ts';
export {
  addApiKey,
  findApiKey,
  listApiKeys,
  removeApiKey,
  type ApiKeyRow,
  type KnownApiKey,
} from './identity/api-keys.ts';
export {
  addPayoutAccount,
  findPayoutAccount,
  findUnfinishedDestination,
  registerWorker,
  removeWorker,
  type NewWorker,
  type PayoutAccountRow,
} from './identity/workers.ts';
export { addReputation, type ReputationChange } from './identity/worker-standing.ts';
export { ban, liftBan, readBans, type BanRow } from './identity/bans.ts';
export { type Viewer } from './market/viewer.ts';
export { readJob, readJobs, type JobFilter, type JobView } from './market/read-jobs.ts';
export { readParties } from './market/read-parties.ts';
export { readUnits, type ReplicaView, type UnitPage, type UnitView } from './market/read-units.ts';
export { readLogs, type LogView } from './market/read-logs.ts';
export { countResultUnits, readResults, type UnitOutputs } from './market/read-results.ts';
export { readWorkers, type WorkerView } from './market/read-workers.ts';
export { heldInputs, heldReplica, inputHashes, type HeldInputs, type HeldObjects } from './market/held-objects.ts';
export { readAvailable, type AvailableJob } from './market/read-available.ts';
export { readBacklog, type Backlog } from './market/read-backlog.ts';
export { writeLogs, type LoggedJob, type LogsWritten, type NewLogLine } from './market/write-logs.ts';
export { balanceOf, type AccountName, type AccountRef, type MoneyAccountKind } from './money-account.ts';
export {
  postEntries,
  postEntry,
  readJobLines,
  type Booking,
  type JournalEntry,
  type JournalLine,
  type Posting,
} from './journal.ts';
export {
  findEscrow,
  lockDueEscrows,
  lockEscrow,
  moveEscrow,
  openEscrow,
  type Escrow,
  type EscrowTimes,
} from './escrow.ts';
export { createWorkStore, type JobEndings, type WorkStoreDeps } from './market/work-store.ts';
export { openUnits, type NewUnits } from './market/work-jobs.ts';
export { commitEvidence, openVerdicts, revealEvidence, type Evidence } from './market/work-verdicts.ts';
export {
  addAllToOutbox,
  addToOutbox,
  claimOutbox,
  finishOutbox,
  outboxDepth,
  readHeldOutbox,
  resumeOutbox,
  type ClaimedMessage,
  type NewMessage,
  type OutboxKind,
  type SendOutcome,
} from './outbox.ts';
export {
  claimInbox,
  finishInbox,
  receiveInbox,
  type ClaimedInboxMessage,
  type InboxOutcome,
  type NewInboxMessage,
} from './inbox.ts';
export {
  abandonCall,
  beginCall,
  finishCall,
  pruneCalls,
  type BegunCall,
  type IdempotentCall,
  type StoredResponse,
} from './idempotency.ts';
export { addAudit, findAuditBreak, readAudit, type AuditEvent, type AuditLine } from './audit.ts';
export { checkpoint, moveCheckpoint } from './checkpoint.ts';
export {
  addChange,
  addChanges,
  feedEnd,
  feedStart,
  followChanges,
  parseFeedCursor,
  pruneChanges,
  readChanges,
  type Change,
  type ChangeFilter,
  type ChangePage,
  type FeedCursor,
  type NewChange,
} from './change-feed.ts';
export { createTradeStore, tradeEndings, tradeTx, type WorkEndings } from './market/trade-store.ts';
