/**
 * The operator's program in the containers: `authorities` and `material` make keys and deal them out, `provision` joins
 * the channels and defines the contracts, `contracts` serves them. Each may run again; what is done is left alone.
 */

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { refuse } from '@assay/core';
import { serveContracts, type ContractServerSettings } from '../../contract-server.ts';
import { systemClock } from '../../system-clock.ts';
import { foldersOf } from '../folders.ts';
import { memberships, orderings, type Membership, type Ordering } from '../topology.ts';
import { writeAuthorities, writeMaterial } from './material.ts';
import { provision } from './provision-network.ts';
import { systemTools } from './system-tools.ts';
import { givenRoot, type Deployment } from './units.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ordering: { type: 'string', default: 'raft' },
    membership: { type: 'string', default: 'own' },
    /** `NAME=FOLDER`: where the share of a program goes. */
    share: { type: 'string', multiple: true, default: [] },
  },
});

function deploymentOf(): Deployment {
  const { ordering, membership } = values;
  if (!Object.hasOwn(orderings, ordering) || !Object.hasOwn(memberships, membership)) {
    throw refuse('config.invalid', 'no such network');
  }
  return { ordering: ordering as Ordering, membership: membership as Membership };
}

const folders = new Map(values.share.map((pair) => pair.split('=') as [string, string]));
const options = {
  root: givenRoot,
  shareOf: (name: string): string => folders.get(name) ?? `${givenRoot}/shares/${name}`,
};

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  authorities: () => writeAuthorities({ ...options, deployment: deploymentOf(), nowMs: systemClock.nowMs() }),
  material: () =>
    writeMaterial({ ...options, deployment: deploymentOf(), tools: systemTools, nowMs: systemClock.nowMs() }),
  provision: () => provision(foldersOf(givenRoot), systemTools, (text) => process.stdout.write(`${text}\n`)),
  async contracts() {
    // The first process of a container is not ended by signals that it does not listen to.
    process.once('SIGTERM', () => process.exit(0));
    const text = await readFile(positionals[1] ?? '', 'utf8');
    await serveContracts(JSON.parse(text) as ContractServerSettings, systemClock);
  },
};

const [name = ''] = positionals;
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (!command) throw refuse('config.invalid', `the commands are ${Object.keys(commands).join(', ')}`);
await command();
