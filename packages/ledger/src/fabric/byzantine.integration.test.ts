import { testDatabase } from '@assay/store/testing';
import { expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { describeOnFabric, killProgram, openTestLedger, testNetwork } from './fabric.setup.ts';
import { factsOfLife, freshJob, lifeOf, platform } from './listing.setup.ts';
import { systemClock } from './system-clock.ts';
import { verifyFabricLedger } from './verify-fabric.ts';

describeOnFabric(
  'four orderers that bear a traitor',
  () => {
    test('take a job through its life, also when one of them is gone, and sign their blocks', async () => {
      const network = await testNetwork('bft');
      const database = await testDatabase();
      const ledger = await openTestLedger(network, database.db);
      const live = async (): Promise<void> => {
        const outcomes = await ledger.submit(lifeOf(freshJob()), platform);
        expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('committed'));
      };
      await live();
      await killProgram(network.folder, 'orderer3');
      await live();
      const facts = await ledger.facts(1n, 100);
      expect(facts.map(({ name }) => name)).toEqual([...factsOfLife, ...factsOfLife]);
      const report = await verifyFabricLedger({
        db: database.db,
        key: ledgerKeyFromSeed(new Uint8Array(32)),
        profile: network.profile,
        channel: 'public-marketplace',
        clock: systemClock,
      });
      expect(report).toMatchObject({ ok: true, problems: [] });
      await ledger.close();
      await network.close();
      await database.drop();
    }, 90_000);
  },
  'bft',
);
