import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { agreeOnWindow } from '../agree-on-window.ts';
import { describeOnFabric, openTestLedger, testNetwork, type TestNetwork } from './fabric.setup.ts';
import { freshJob, lifeOf, platform } from './listing.setup.ts';
import { systemClock } from './system-clock.ts';
import { verifyFabricLedger } from './verify-fabric.ts';

describeOnFabric('ledger verify', () => {
  let network: TestNetwork;
  let database: TestDatabase;
  beforeAll(async () => {
    network = await testNetwork();
    database = await testDatabase();
    const ledger = await openTestLedger(network, database.db);
    await agreeOnWindow(ledger, 0);
    await ledger.submit(lifeOf(freshJob()), platform);
    await ledger.close();
  });
  afterAll(async () => {
    await network.close();
    await database.drop();
  });

  const verify = () =>
    verifyFabricLedger({
      db: database.db,
      key: ledgerKeyFromSeed(new Uint8Array(32)),
      profile: network.profile,
      channel: 'public-marketplace',
      clock: systemClock,
    });

  test('finds nothing wrong with what the peer’s blocks give', async () => {
    const report = await verify();
    expect(report).toMatchObject({ ok: true, facts: 10, problems: [] });
    expect(report.blocks).toBeGreaterThan(7);
  });

  test.each([
    ['ledger_block', "UPDATE ledger_block SET signature = repeat('0', 128) WHERE number = 5"],
    ['ledger_tx', "UPDATE ledger_tx SET transaction = replace(transaction, 'FUNDED', 'REFUND') WHERE code = 0"],
    ['ledger_fact', "UPDATE ledger_fact SET name = 'ContractRefunded' WHERE position = 3"],
    ['ledger_state', "UPDATE ledger_state SET value = value || '\\x20'"],
    ['ledger_history', 'DELETE FROM ledger_history WHERE block = (SELECT max(block) FROM ledger_history)'],
    ['ledger_node', "UPDATE ledger_node SET hash = repeat('0', 64) WHERE level = 1 AND position = 0"],
    ['ledger_creator', "UPDATE ledger_creator SET certificate = certificate || ' '"],
    ['ledger_head', 'UPDATE ledger_head SET next_fact = next_fact + 1'],
  ])('finds a change in %s', async (table, change) => {
    await database.owner.query(`CREATE TABLE kept AS TABLE ${table}`);
    await database.owner.query(change);
    const report = await verify();
    expect([report.ok, report.problems.map((problem) => problem.table)]).toEqual([
      false,
      expect.arrayContaining([table]),
    ]);
    await database.owner.query(`DELETE FROM ${table}`);
    await database.owner.query(`INSERT INTO ${table} TABLE kept`);
    await database.owner.query('DROP TABLE kept');
    expect((await verify()).ok).toBe(true);
  });
});
