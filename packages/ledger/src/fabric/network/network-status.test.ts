import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { foldersOf, replaceSecret } from './folders.ts';
import { networkStatus } from './network-status.ts';
import type { NetworkRecord } from './network.ts';
import { startProgram, stopPrograms } from './processes.ts';
import { topologyOf } from './topology.ts';

test('a network can be asked for while it is being made: its programs run, their files are still to come', async () => {
  const folders = foldersOf(await mkdtemp(join(tmpdir(), 'assay-status-')));
  onTestFinished(async () => {
    await stopPrograms(folders);
    await rm(folders.root, { recursive: true, force: true });
  });
  const topology = topologyOf('raft', Array(23).fill(1) as number[], 'fabric-ca');
  const record: NetworkRecord = { version: 2, ready: false, tools: '', topology };
  await replaceSecret(folders.network, JSON.stringify(record));
  for (const name of ['ca.OrdererMSP', 'orderer1']) {
    await startProgram(folders, { name, path: '/bin/sleep', args: ['1000'], environment: {} });
  }
  const status = await networkStatus(folders.root);
  expect(status).toMatchObject({ state: 'broken', firstExpiry: null, profile: null });
  const running = status.programs.filter(({ pid }) => pid !== null);
  expect(running.map(({ name, health }) => [name, health.includes('no such file')])).toEqual([
    ['ca.OrdererMSP', true],
    ['orderer1', true],
  ]);
});
