export { openEmbeddedLedger, type EmbeddedLedger, type EmbeddedLedgerOptions } from './embedded-ledger.ts';
export { ledgerKeyFromSeed, loadLedgerKey, type LedgerKey } from './keys.ts';
