/** `assay fabric up|down|status`: a Hyperledger Fabric network on this machine, without Docker. */

import { join as path } from 'node:path';
import {
  joinNetwork,
  networkStatus,
  orderings,
  startNetwork,
  stopNetwork,
  systemClock,
  type NetworkStatus,
  type Ordering,
} from '@assay/server';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { defaultStateDir, toolsDir } from '../config.ts';
import { columns, paint, plain, print } from '../terminal.ts';

const folderOption = { kind: 'text', doc: 'the network’s folder; by default fabric under the state folder' } as const;
const jsonOption = { kind: 'flag', doc: 'print JSON' } as const;

export const fabricUpCommand: Command = {
  usage: 'fabric up [--ordering raft|raft-3|bft] [--ca] [--port N] [--folder DIR] [--json]',
  options: {
    ordering: { kind: 'text', doc: 'who orders blocks: one orderer, three, or four that bear a traitor (Fabric 3)' },
    ca: { kind: 'flag', doc: 'three organisations, each with certificates from a fabric-ca server of its own' },
    port: { kind: 'number', doc: 'the first of its ports; by default free ones from 15000 to 32000, 0 takes any free' },
    folder: folderOption,
    json: jsonOption,
  },
  positionals: [],
  run: runUp,
};

export const fabricDownCommand: Command = {
  usage: 'fabric down [--erase] [--folder DIR] [--json]',
  options: { erase: { kind: 'flag', doc: 'also delete its data and keys' }, folder: folderOption, json: jsonOption },
  positionals: [],
  run: runDown,
};

export const fabricStatusCommand: Command = {
  usage: 'fabric status [--folder DIR] [--json]',
  options: { folder: folderOption, json: jsonOption },
  positionals: [],
  run: runStatus,
};

export const fabricJoinCommand: Command = {
  usage: 'fabric join MSP [--folder DIR] [--json]',
  options: { folder: folderOption, json: jsonOption },
  positionals: ['MSP'],
  run: runJoin,
};

function folderOf(args: Arguments): string {
  return args.text('folder') ?? path(defaultStateDir(), 'fabric');
}

/** What `--ordering` names. */
export function orderingOf(args: Arguments): { ordering?: Ordering } {
  const wanted = args.text('ordering');
  if (wanted === undefined) return {};
  if (wanted in orderings) return { ordering: wanted as Ordering };
  throw new UsageError(`--ordering takes ${Object.keys(orderings).join(', ')}`);
}

async function runUp(args: Arguments): Promise<number> {
  const asJson = args.flag('json');
  const port = args.number('port');
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_000))
    throw new UsageError('--port takes a port up to 65000');
  const startedMs = performance.now();
  const network = await startNetwork({
    folder: folderOf(args),
    tools: toolsDir(),
    ...orderingOf(args),
    ...(args.flag('ca') ? { membership: 'fabric-ca' } : {}),
    ...(port === undefined ? {} : { firstPort: port }),
    clock: systemClock,
    progress: (text) => {
      if (!asJson) print(`  ${text}`);
    },
  });
  const tookMs = Math.round(performance.now() - startedMs);
  if (asJson) print(JSON.stringify({ ...network, tookMs }));
  else {
    const told = { created: 'is made and runs', started: 'runs again', running: 'was running already' } as const;
    print(`${paint('green', '✓')} the network ${told[network.how]} after ${(tookMs / 1000).toFixed(1)} s`);
    print(`  a server uses it with ASSAY_LEDGER=fabric ASSAY_FABRIC_PROFILE=${network.profile}`);
  }
  return 0;
}

async function runJoin(args: Arguments): Promise<number> {
  const asJson = args.flag('json');
  const mspId = args.positional(0) ?? '';
  const topology = await joinNetwork({
    folder: folderOf(args),
    tools: toolsDir(),
    mspId,
    clock: systemClock,
    progress: (text) => {
      if (!asJson) print(`  ${text}`);
    },
  });
  if (asJson) print(JSON.stringify({ topology }));
  else {
    const members = topology.channels['public-marketplace'];
    print(`${paint('green', '✓')} ${mspId} is on public-marketplace, now with ${members.length} organisations`);
    print('  restart servers that use the network: they read the peers when they start');
  }
  return 0;
}

async function runDown(args: Arguments): Promise<number> {
  const stopped = await stopNetwork(folderOf(args), { erase: args.flag('erase') });
  if (args.flag('json')) print(JSON.stringify({ stopped, erased: args.flag('erase') }));
  else print(stopped.length === 0 ? 'Nothing of the network was running.' : `Ended ${stopped.join(', ')}.`);
  return 0;
}

/** Ends with 0 when all is up, else with 1, so that scripts can ask. */
async function runStatus(args: Arguments): Promise<number> {
  const found = await networkStatus(folderOf(args));
  if (args.flag('json')) print(JSON.stringify(found));
  else describe(found);
  return found.state === 'up' ? 0 : 1;
}

const advice: Readonly<Record<NetworkStatus['state'], string>> = {
  up: 'all programs run and answer',
  partial: 'some programs do not run or answer: ./assay fabric up starts them again',
  stopped: 'it does not run: ./assay fabric up starts it again with its data',
  broken: 'its start was interrupted: ./assay fabric up begins anew',
  absent: 'there is none: ./assay fabric up makes one',
};

const warnDays = 30;

function describe({ state, folder, ordering, programs, firstExpiry }: NetworkStatus): void {
  print(`Network in ${folder}${ordering === null ? '' : ` (${ordering})`}: ${advice[state]}`);
  if (programs.length > 0) {
    const lines = programs.map(({ name, pid, port, health }) => [
      `  ${name}`,
      pid === null ? '–' : `process ${pid}`,
      `port ${port}`,
      plain(health),
    ]);
    print(columns(lines, ''));
  }
  if (!firstExpiry) return;
  const days = Math.floor((firstExpiry.endsMs - systemClock.nowMs()) / 86_400_000);
  const line = `the first certificate ends in ${days} days: ${firstExpiry.file}`;
  print(days < warnDays ? paint('red', `  ${line}`) : `  ${line}`);
}
