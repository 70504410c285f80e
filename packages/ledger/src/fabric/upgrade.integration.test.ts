import type { InclusionProof, SignedHead } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { challengeWindowOn } from '../agree-on-window.ts';
import { ledgerKeyFromSeed } from '../keys.ts';
import { acknowledged, factsOf, isProven, stillHolds, versionIn } from '../upgrade.setup.ts';
import type { FabricLedger } from './fabric-ledger.ts';
import { describeOnFabric, killProgram, openTestLedger, testNetwork, type TestNetwork } from './fabric.setup.ts';
import { factsOfLife, freshJob, lifeOf, platform } from './listing.setup.ts';
import { contractsName } from './network/topology.ts';
import { systemClock } from './system-clock.ts';
import { runContracts, upgradeToTwo } from './upgrade.setup.ts';
import { voteOnFabric } from './vote.ts';
import { verifyFabricLedger } from './verify-fabric.ts';

const clients = 8;
const untilVerified = 4;
const untilOpened = 5;

describeOnFabric('an upgrade of the contracts', () => {
  let network: TestNetwork;
  let database: TestDatabase;
  let ledger: FabricLedger;
  const [whole, opened, verified] = [freshJob(), freshJob(), freshJob()];
  let proof: InclusionProof;
  let head: SignedHead;
  const done = new Map<string, string[]>();

  const escrowOf = async (job: string): Promise<string | undefined> => {
    const text = "SELECT convert_from(value, 'UTF8') AS value FROM ledger_state WHERE key = $1";
    const rows = await database.owner.query<{ value: string }>(text, [Buffer.from(`\0escrow\0${job}\0`)]);
    return rows[0]?.value;
  };

  beforeAll(async () => {
    network = await testNetwork();
    database = await testDatabase();
    await runContracts(network, 1);
    ledger = await openTestLedger(network, database.db);
    for (const [job, count] of [
      [whole, 7],
      [opened, untilOpened],
      [verified, untilVerified],
    ] as const) {
      for (const submission of lifeOf(job).slice(0, count)) await acknowledged(() => ledger, submission);
    }
    const [listed] = factsOf(await ledger.facts(1n, 1000), whole);
    proof = await ledger.prove(listed!.txId);
    head = await ledger.head();
    // Calls all the time, from well before the new definition to well after it.
    const over = new AbortController();
    const load = Promise.all(
      Array.from({ length: clients }, async () => {
        while (!over.signal.aborted) {
          const job = freshJob();
          const txIds: string[] = [];
          done.set(job, txIds);
          for (const submission of lifeOf(job).slice(0, untilOpened)) {
            txIds.push(await acknowledged(() => ledger, submission));
          }
        }
      }),
    );
    const haveOpened = (): boolean =>
      [...done.values()].filter((txIds) => txIds.length === untilOpened).length >= clients;
    await vi.waitUntil(haveOpened, { timeout: 60_000 });
    await upgradeToTwo(network, 'public-marketplace');
    const after = freshJob();
    for (const submission of lifeOf(after).slice(0, untilVerified)) await acknowledged(() => ledger, submission);
    over.abort();
    await load;
  }, 180_000);
  afterAll(async () => {
    await ledger.close();
    await network.close();
    await database.drop();
  });

  test('loses no call and doubles none while it happens', async () => {
    const facts = await ledger.facts(1n, 100_000);
    expect(done.size).toBeGreaterThan(clients);
    for (const [job, txIds] of done) {
      const own = factsOf(facts, job);
      expect(own.map(({ name }) => name)).toEqual(factsOfLife.slice(0, untilOpened));
      expect(own.map(({ txId }) => txId)).toEqual(txIds);
    }
    const versions = new Set<number>();
    for (const job of done.keys()) versions.add(versionIn(await escrowOf(job)));
    expect(versions).toEqual(new Set([1, 2]));
  });

  test('leaves what was proven before provable', async () => {
    const again = await ledger.prove(JSON.parse(proof.transaction).txId);
    expect(again.transaction).toBe(proof.transaction);
    expect([isProven(proof), isProven(again)]).toEqual([true, true]);
    expect(await stillHolds(ledger, head)).toBe(true);
    const { db } = database;
    const key = ledgerKeyFromSeed(new Uint8Array(32));
    const { profile } = network;
    const report = await verifyFabricLedger({ db, key, profile, channel: 'public-marketplace', clock: systemClock });
    expect(report).toMatchObject({ ok: true, problems: [] });
  });

  test('goes on with what version 1 left, without its servers, and the platform cannot shorten windows', async () => {
    for (const peer of network.topology.peers) await killProgram(network.folder, contractsName(peer));
    expect([versionIn(await escrowOf(opened)), versionIn(await escrowOf(verified))]).toEqual([1, 1]);
    const rest = await ledger.submit(lifeOf(opened).slice(untilOpened), platform);
    expect(rest.map(({ kind }) => kind)).toEqual(['committed', 'committed']);
    const bounded = await ledger.submit(lifeOf(verified).slice(untilVerified), platform);
    expect(bounded).toMatchObject([
      { kind: 'committed' },
      { kind: 'refused', code: 'escrow.window_open' },
      { kind: 'refused', code: 'escrow.wrong_state' },
    ]);
    expect([versionIn(await escrowOf(opened)), versionIn(await escrowOf(verified))]).toEqual([2, 2]);
    expect(await challengeWindowOn(ledger)).toMatchObject({ minMs: 24 * 3_600_000 });
  });

  test('lets the organisations agree on another window, each with its own certificate', async () => {
    const wanted = { minMs: 0, maxMs: 3_600_000, votes: 2 };
    const ballot = { profile: network.profile, channel: 'public-marketplace', ...wanted, clock: systemClock };
    const first = await voteOnFabric({ ...ballot, mspId: 'PlatformMSP' });
    expect(first).toMatchObject({ decided: false, rule: { minMs: 24 * 3_600_000 } });
    await expect(voteOnFabric({ ...ballot, mspId: 'WorkerMSP', votes: 1 })).rejects.toMatchObject({
      code: 'request.malformed',
    });
    expect(await voteOnFabric({ ...ballot, mspId: 'WorkerMSP' })).toMatchObject({ decided: true, rule: wanted });
    const outcomes = await ledger.submit(lifeOf(freshJob()), platform);
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('committed'));
  });
});
