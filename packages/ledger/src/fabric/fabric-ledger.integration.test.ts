import { ledgerConformance } from '@assay/core/conformance';
import { testDatabase } from '@assay/store/testing';
import { describeOnFabric, openTestLedger, testNetwork } from './fabric.setup.ts';

describeOnFabric('on real peers', () => {
  ledgerConformance('the Fabric engine', async () => {
    const network = await testNetwork();
    const database = await testDatabase();
    const ledger = await openTestLedger(network, database.db);
    return {
      ledger,
      async close() {
        await ledger.close();
        await network.close();
        await database.drop();
      },
    };
  });
});
