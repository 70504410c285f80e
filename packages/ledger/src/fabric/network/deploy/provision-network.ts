/** Brings a deployed network to contracts that answer, once its programs are up; done again, it changes nothing. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, limits } from '@assay/core';
import type { Folders } from '../folders.ts';
import { healthOf } from '../health.ts';
import type { NetworkRecord } from '../network.ts';
import { joinAndDefine } from '../provision.ts';
import type { Tools } from '../tools.ts';

export async function provision(folders: Folders, tools: Tools, progress: (text: string) => void): Promise<void> {
  const { topology } = JSON.parse(await readFile(folders.network, 'utf8')) as Pick<NetworkRecord, 'topology'>;
  const deadline = performance.now() + limits.fabricStartMs;
  for (const place of [...topology.orderers, ...topology.peers]) {
    for (let health = await healthOf(folders, place); health !== 'ok'; health = await healthOf(folders, place)) {
      if (performance.now() > deadline) {
        throw new Fault('ledger.unavailable', `${place.name} does not answer: ${health}`, { retry: true });
      }
      await sleep(200);
    }
  }
  await joinAndDefine({ folders, tools, topology }, progress);
  progress('the contracts answer on every channel');
}
