import { ledgerConformance } from '@assay/core/conformance';
import { testDatabase } from '@assay/store/testing';
import { expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { openFabricLedger } from './fabric-ledger.ts';
import { fabricRequired, missingFabric, testNetwork } from './fabric.setup.ts';
import { systemClock } from './system-clock.ts';

const missing = missingFabric();

if (missing !== undefined) {
  test.skipIf(!fabricRequired)(`the Fabric engine is a ledger (needs ${missing}: deploy/tools/build fabric)`, () => {
    expect.fail(`${missing} is required and not there`);
  });
} else {
  ledgerConformance('the Fabric engine', async () => {
    const network = await testNetwork();
    const database = await testDatabase();
    const ledger = await openFabricLedger({
      db: database.db,
      key: ledgerKeyFromSeed(new Uint8Array(32)),
      profile: network.profile,
      clock: systemClock,
      onProblem: (error) => process.stderr.write(`${String(error)}\n`),
    });
    return {
      ledger,
      async close() {
        await ledger.close();
        await network.close();
        await database.drop();
      },
    };
  });
}
