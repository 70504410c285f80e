import { Fault, type Fact, type Sha256Hex, type Submission } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FabricLedger } from './fabric-ledger.ts';
import { agreeOnWindow } from '../agree-on-window.ts';
import {
  describeOnFabric,
  killProgram,
  mendNetwork,
  openTestLedger,
  testNetwork,
  type TestNetwork,
} from './fabric.setup.ts';
import { factsOfLife, freshJob, lifeOf, listed, platform } from './listing.setup.ts';

const contractsAtOnce = 12;
const allFacts = 100_000;

/** Submits until the outcome is known, as the outbox does. */
const acknowledged = async (ledger: FabricLedger, submission: Submission): Promise<Sha256Hex> => {
  for (;;) {
    try {
      const [outcome] = await ledger.submit([submission], platform);
      if (outcome?.kind === 'committed') return outcome.txId;
      if (outcome?.kind !== 'conflict') throw new Error(`${submission.fn}: ${JSON.stringify(outcome)}`);
    } catch (error) {
      if (!(error instanceof Fault) || !error.retry) throw error;
      await sleep(100);
    }
  }
};

const live = async (ledger: FabricLedger, job: string): Promise<Sha256Hex[]> => {
  const txIds: Sha256Hex[] = [];
  for (const submission of lifeOf(job)) txIds.push(await acknowledged(ledger, submission));
  return txIds;
};

const factsOf = (facts: readonly Fact[], job: string): Fact[] =>
  facts.filter((fact) => (JSON.parse(fact.payload) as { job?: string }).job === job);

describeOnFabric('under load, with programs killed', () => {
  let network: TestNetwork;
  let database: TestDatabase;
  let ledgers: FabricLedger[];
  beforeAll(async () => {
    network = await testNetwork();
    database = await testDatabase();
    // Two servers project into one database and submit side by side.
    ledgers = await Promise.all([openTestLedger(network, database.db), openTestLedger(network, database.db)]);
    await agreeOnWindow(ledgers[0]!, 0);
  });
  afterAll(async () => {
    for (const ledger of ledgers) await ledger.close();
    await network.close();
    await database.drop();
  });

  test('ten contracts at once go from their listing to completion', async () => {
    const jobs = Array.from({ length: contractsAtOnce }, freshJob);
    await Promise.all(jobs.map((job, index) => live(ledgers[index % 2]!, job)));
    const facts = await ledgers[0]!.facts(1n, allFacts);
    for (const job of jobs) expect(factsOf(facts, job).map(({ name }) => name)).toEqual(factsOfLife);
  }, 120_000);

  test.each(['peer.PlatformMSP', 'orderer1', 'peer.WorkerMSP', 'contracts.WorkerMSP'])(
    'loses nothing and doubles nothing when %s is killed',
    async (victim) => {
      const jobs = Array.from({ length: contractsAtOnce }, freshJob);
      const load = Promise.all(jobs.map((job, index) => live(ledgers[index % 2]!, job)));
      await sleep(400);
      await killProgram(network.folder, victim);
      expect((await mendNetwork(network.folder)).how).toBe('started');
      const txIds = await load;
      // Writes flow again.
      await acknowledged(ledgers[0]!, listed(freshJob()));
      const facts = await ledgers[1]!.facts(1n, allFacts);
      for (const [index, job] of jobs.entries()) {
        const own = factsOf(facts, job);
        expect(own.map(({ name }) => name)).toEqual(factsOfLife);
        expect(own.map(({ txId }) => txId)).toEqual(txIds[index]);
      }
      expect(facts.map(({ position }) => position)).toEqual(facts.map((_, index) => BigInt(index + 1)));
    },
    120_000,
  );

  test('a market that starts while the network is away catches up when it is back', async () => {
    for (const name of ['orderer1', 'peer.PlatformMSP', 'peer.WorkerMSP']) await killProgram(network.folder, name);
    const job = freshJob();
    const waiting = acknowledged(ledgers[0]!, listed(job));
    const other = await openTestLedger(network, database.db);
    await mendNetwork(network.folder);
    const txId = await waiting;
    expect((await other.prove(txId)).transaction).toContain(job);
    await other.close();
  }, 120_000);
});
