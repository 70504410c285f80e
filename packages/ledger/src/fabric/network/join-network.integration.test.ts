import { testDatabase } from '@assay/store/testing';
import { expect, onTestFinished, test } from 'vitest';
import { agreeOnWindow } from '../../agree-on-window.ts';
import { describeOnFabric, killProgram, mendNetwork, openTestLedger, testNetwork, toolsRoot } from '../fabric.setup.ts';
import { factsOfLife, factsOfVotes, freshJob, lifeOf, platform } from '../listing.setup.ts';
import { systemClock } from '../system-clock.ts';
import { joinNetwork } from './join-network.ts';
import { networkStatus } from './network-status.ts';

describeOnFabric('a new organisation', () => {
  test('joins a running channel with the members’ consent, and its peer endorses', { timeout: 120_000 }, async () => {
    const network = await testNetwork();
    // Also where it fails: the programs would go on without it.
    onTestFinished(() => network.close());
    const database = await testDatabase();
    const join = (mspId: string, progress?: (text: string) => void) =>
      joinNetwork({
        folder: network.folder,
        tools: toolsRoot,
        clock: systemClock,
        mspId,
        ...(progress ? { progress } : {}),
      });
    const live = async (): Promise<void> => {
      // Opened anew, because the profile names the peers.
      const ledger = await openTestLedger(network, database.db);
      await agreeOnWindow(ledger, 0);
      const outcomes = await ledger.submit(lifeOf(freshJob()), platform);
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(7).fill('committed'));
      await ledger.close();
    };
    await live();
    await expect(join('../MSP')).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(join('WorkerMSP')).rejects.toMatchObject({ code: 'config.invalid' });
    // It is on the channel, and the command ends: nobody else joins until that is finished.
    const interrupted = join('LaboratoryMSP', (text) => {
      if (text.startsWith('starting its peer')) throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    await expect(join('ObservatoryMSP')).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('first ./assay fabric join LaboratoryMSP') as string,
    });
    const topology = await join('LaboratoryMSP');
    expect(topology.channels).toEqual({
      'public-marketplace': ['PlatformMSP', 'WorkerMSP', 'LaboratoryMSP'],
      'private-science': ['PlatformMSP'],
    });
    const status = await networkStatus(network.folder);
    expect([status.state, status.programs.map(({ name }) => name)]).toEqual([
      'up',
      expect.arrayContaining(['peer.LaboratoryMSP', 'contracts.LaboratoryMSP']),
    ]);
    // Two of three must endorse now: without the workers' peer, the newcomer's makes the majority.
    await killProgram(network.folder, 'peer.WorkerMSP');
    await live();
    await killProgram(network.folder, 'peer.LaboratoryMSP');
    expect((await mendNetwork(network.folder)).how).toBe('started');
    await live();
    const reader = await openTestLedger(network, database.db);
    const names = (await reader.facts(1n, 100)).map(({ name }) => name);
    expect(names).toEqual([...factsOfVotes, ...factsOfLife, ...factsOfLife, ...factsOfLife]);
    await reader.close();
    await database.drop();
  });
});
