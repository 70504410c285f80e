import { ledgerConformance } from '@assay/core/conformance';
import { testDatabase } from '@assay/store/testing';
import { openEmbeddedLedger } from './embedded-ledger.ts';
import { ledgerKeyFromSeed } from './keys.ts';

ledgerConformance('the embedded engine', async () => {
  const database = await testDatabase();
  const key = ledgerKeyFromSeed(new Uint8Array(32));
  return { ledger: await openEmbeddedLedger({ db: database.db, key }), close: () => database.drop() };
});
