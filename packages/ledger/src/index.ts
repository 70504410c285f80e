export { openEmbeddedLedger, type EmbeddedLedger, type EmbeddedLedgerOptions } from './embedded-ledger.ts';
export { ledgerKeyFromSeed, loadLedgerKey, type LedgerKey } from './keys.ts';
export { verifyLedger, verifyLedgerIn, type LedgerReport, type VerifyOptions } from './verify-ledger.ts';
export type { LedgerProblem } from './replay.ts';
export { followFacts, followOnce, type FactFollower, type FollowOptions } from './follow-facts.ts';
export { blockDetail, factsOfJob, historyOfKey, listBlocks, type BlockDetail, type BlockSummary } from './explorer.ts';
export { benchLedger, type LedgerBenchOptions, type LedgerBenchResult } from './bench-ledger.ts';
