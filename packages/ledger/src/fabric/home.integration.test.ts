import { setTimeout as sleep } from 'node:timers/promises';
import { platformMsp } from '@assay/contracts';
import { testDatabase } from '@assay/store/testing';
import { expect, test, vi } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { describeOnFabric, killProgram, mendNetwork, openTestLedger, testNetwork } from './fabric.setup.ts';
import { freshJob, listed, platform } from './listing.setup.ts';
import { readProfile } from './network/profile.ts';
import { openPeers } from './peers.ts';
import { startProjection } from './projection.ts';
import { systemClock } from './system-clock.ts';
import { openWallet } from './wallet.ts';

describeOnFabric('when the own peer dies', () => {
  test('another one stands in within seconds, and only until it is back', { timeout: 120_000 }, async () => {
    const network = await testNetwork();
    const [database, mirror] = [await testDatabase(), await testDatabase()];
    const profile = await readProfile(network.profile);
    // The profile’s order does not say who comes first.
    const peers = await openPeers({ ...profile, peers: profile.peers.toReversed() }, 'public-marketplace', systemClock);
    const projection = startProjection({
      db: mirror.db,
      key: ledgerKeyFromSeed(new Uint8Array(32)),
      channel: 'public-marketplace',
      chaincode: profile.chaincode,
      peers,
      reader: await openWallet(profile, systemClock).member({ mspId: platformMsp, name: 'projection', roles: [] }),
      onProblem: () => undefined,
    });
    const ledger = await openTestLedger(network, database.db);
    const write = async (): Promise<void> => {
      const [outcome] = await ledger.submit([listed(freshJob())], platform);
      expect(outcome?.kind).toBe('committed');
      const { block } = await ledger.head();
      await vi.waitFor(() => expect(projection.newest).toBe(block), { timeout: 5_000 });
    };
    await write();
    expect(peers.isOwn).toBe(true);
    await killProgram(network.folder, 'peer.PlatformMSP');
    await vi.waitFor(() => expect(peers.isOwn).toBe(false), { timeout: 5_000 });
    // Both organisations endorse, so nothing new is written until it is back.
    await sleep(500);
    await mendNetwork(network.folder);
    await vi.waitFor(() => expect(peers.isOwn).toBe(true), { timeout: 20_000 });
    await write();
    expect(projection.contradiction).toBeUndefined();
    await ledger.close();
    await projection.close();
    peers.close();
    await network.close();
    await database.drop();
    await mirror.drop();
  });
});
