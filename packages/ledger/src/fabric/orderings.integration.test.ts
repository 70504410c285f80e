import { testDatabase } from '@assay/store/testing';
import { expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { agreeOnWindow } from '../agree-on-window.ts';
import { describeOnFabric, killProgram, openTestLedger, testNetwork } from './fabric.setup.ts';
import { factsOfLife, factsOfVotes, freshJob, lifeOf, platform } from './listing.setup.ts';
import type { LedgerReport } from '../verify-ledger.ts';
import type { Ordering } from './network/topology.ts';
import { systemClock } from './system-clock.ts';
import { verifyFabricLedger } from './verify-fabric.ts';

/** Two lives, the second without one of the orderers, and what verification says of the blocks. */
async function liveWithout(victim: string, ordering: Ordering): Promise<LedgerReport> {
  const network = await testNetwork(ordering);
  const database = await testDatabase();
  const ledger = await openTestLedger(network, database.db);
  await agreeOnWindow(ledger, 0);
  const live = async (): Promise<void> => {
    const outcomes = await ledger.submit(lifeOf(freshJob()), platform);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('committed'));
  };
  await live();
  await killProgram(network.folder, victim);
  await live();
  const facts = await ledger.facts(1n, 100);
  expect(facts.map(({ name }) => name)).toEqual([...factsOfVotes, ...factsOfLife, ...factsOfLife]);
  const report = await verifyFabricLedger({
    db: database.db,
    key: ledgerKeyFromSeed(new Uint8Array(32)),
    profile: network.profile,
    channel: 'public-marketplace',
    clock: systemClock,
  });
  await ledger.close();
  await network.close();
  await database.drop();
  return report;
}

describeOnFabric(
  'three orderers',
  () => {
    test.each(['orderer1', 'orderer2'])('go on without %s', { timeout: 120_000 }, async (victim) => {
      expect(await liveWithout(victim, 'raft-3')).toMatchObject({ ok: true, problems: [] });
    });
  },
  'raft-3',
);

describeOnFabric(
  'four orderers that bear a traitor',
  () => {
    test('go on when one of them is gone, and sign their blocks', { timeout: 120_000 }, async () => {
      expect(await liveWithout('orderer3', 'bft')).toMatchObject({ ok: true, problems: [] });
    });
  },
  'bft',
);
