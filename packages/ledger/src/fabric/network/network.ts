/** A Fabric network on this machine, without Docker: up, down, and how it is. */

import { mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, limits, refuse, type Clock } from '@assay/core';
import { authorityProgram, caIssuer, writeAuthority } from './fabric-ca.ts';
import type { Joining } from './join-network.ts';
import { ownIssuer, type Issuer } from './issuer.ts';
import { validityFrom } from './organizations.ts';
import { writeProfile } from './profile.ts';
import { healthOf } from './health.ts';
import { portsFrom } from './ports.ts';
import { foldersOf, replaceSecret, type Folders } from './folders.ts';
import { withLock } from './lock.ts';
import { lastLines, runningPrograms, startProgram, stopPrograms, type Program } from './processes.ts';
import { contractServerFile, joinAndDefine, writeFiles, type Site } from './provision.ts';
import { findTools } from './tools.ts';
import {
  contractsName,
  organizationsOf,
  portCount,
  topologyOf,
  type Membership,
  type Ordering,
  type Topology,
} from './topology.ts';
import { fillWallet } from './issued-wallet.ts';

export interface NetworkOptions {
  /** Where everything of the network lies. */
  readonly folder: string;
  /** The folder of `deploy/tools/build`. */
  readonly tools: string;
  readonly ordering?: Ordering;
  readonly membership?: Membership;
  /** The first of the ports that it takes; 0 takes any free ones; without it, free ones that the system gives nobody. */
  readonly firstPort?: number;
  readonly clock: Clock;
  /** Told what is being done. */
  readonly progress?: (text: string) => void;
}

/** What stands in `network.json`. */
export interface NetworkRecord {
  readonly version: 2;
  /** A network that is not ready has no data yet: the next start begins anew. */
  readonly ready: boolean;
  readonly tools: string;
  readonly topology: Topology;
  /** An organisation that was about to join when its command ended. */
  readonly joining?: Joining | undefined;
}

export interface StartedNetwork {
  /** `created`: from nothing; `started`: it had been stopped, or parts of it; `running`: nothing was to do. */
  readonly how: 'created' | 'started' | 'running';
  /** The file by which clients find the network. */
  readonly profile: string;
  readonly topology: Topology;
}

/** Starts the network, which it makes when there is none. Doing so again changes nothing. */
export async function startNetwork(options: NetworkOptions): Promise<StartedNetwork> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folders = foldersOf(await realpath(options.folder));
  return withLock(folders.lock, async () => {
    const record = await readRecord(folders);
    if (record?.ready) return restart(folders, record, options);
    return create(folders, options);
  });
}

async function create(folders: Folders, options: NetworkOptions): Promise<StartedNetwork> {
  const { ordering = 'raft', membership = 'own', clock, progress = () => undefined } = options;
  const tools = findTools(options.tools, ordering, membership);
  // Leftovers of a start that was killed: nothing was ever acknowledged by them.
  await stopPrograms(folders);
  await forget(folders);
  const ports = await portsFrom(options.firstPort, portCount(ordering, membership));
  const topology = topologyOf(ordering, ports, membership);
  const record: NetworkRecord = { version: 2, ready: false, tools: options.tools, topology };
  await replaceSecret(folders.network, JSON.stringify(record));
  const site: Site = { folders, tools, topology };
  try {
    progress('making keys, certificates and the channels’ first blocks');
    const issuers = await openIssuers(site, clock.nowMs());
    await writeFiles(site, issuers, clock.nowMs());
    if (membership === 'fabric-ca') await fillWallet(site, issuers);
    for (const issuer of issuers) await issuer.close();
    progress('starting orderer, peers and contract servers');
    await startPrograms(site, programsOf(site));
    await joinAndDefine(site, progress);
    await writeProfile(site, { withAuthorities: topology.authorities.length === 0 });
    await replaceSecret(folders.network, JSON.stringify({ ...record, ready: true }));
  } catch (error) {
    await stopPrograms(folders);
    throw error;
  }
  return { how: 'created', profile: folders.profile, topology };
}

/** With fabric-ca, its servers run from here on. */
async function openIssuers({ folders, tools, topology }: Site, nowMs: number): Promise<Issuer[]> {
  const validity = validityFrom(nowMs);
  if (topology.authorities.length === 0) {
    return Promise.all(organizationsOf(topology).map((mspId) => ownIssuer(folders, mspId, validity)));
  }
  for (const place of topology.authorities) {
    await writeAuthority(folders, topology.listen, place, validity);
    await startProgram(folders, authorityProgram(folders, tools, place));
  }
  return Promise.all(topology.authorities.map((place) => caIssuer(folders, tools, place)));
}

async function restart(folders: Folders, record: NetworkRecord, options: NetworkOptions): Promise<StartedNetwork> {
  const { topology } = record;
  if (options.ordering !== undefined && options.ordering !== topology.ordering) {
    throw refuse(
      'config.invalid',
      `the network in ${folders.root} is ${topology.ordering}: take another folder, or delete it first`,
    );
  }
  const membership = topology.authorities.length > 0 ? 'fabric-ca' : 'own';
  if (options.membership !== undefined && options.membership !== membership) {
    throw refuse('config.invalid', `the network in ${folders.root} has other authorities: take another folder`);
  }
  const site: Site = { folders, tools: findTools(options.tools, topology.ordering, membership), topology };
  const running = await runningPrograms(folders);
  const missing = programsOf(site).filter(({ name }) => !running.has(name));
  if (missing.length > 0) options.progress?.(`starting ${missing.map(({ name }) => name).join(', ')}`);
  await startPrograms(site, missing);
  return { how: missing.length > 0 ? 'started' : 'running', profile: folders.profile, topology };
}

/** Starts programs and waits until all of the network answers. */
export async function startPrograms(site: Site, programs: readonly Program[]): Promise<void> {
  const before = await runningPrograms(site.folders);
  for (const program of programs) if (!before.has(program.name)) await startProgram(site.folders, program);
  const deadline = performance.now() + limits.fabricStartMs;
  let waiting = [...site.topology.orderers, ...site.topology.peers];
  while (waiting.length > 0) {
    const running = await runningPrograms(site.folders);
    const dead = [...waiting, ...site.topology.peers.map((peer) => ({ name: contractsName(peer) }))].find(
      ({ name }) => !running.has(name),
    );
    if (dead) await failed(site.folders, dead.name, 'ended');
    const health = await Promise.all(waiting.map((place) => healthOf(site.folders, place)));
    waiting = waiting.filter((_, index) => health[index] !== 'ok');
    const [late] = waiting;
    if (late && performance.now() > deadline) await failed(site.folders, late.name, 'does not answer');
    if (late) await sleep(25);
  }
}

async function failed(folders: Folders, name: string, what: string): Promise<never> {
  const said = await lastLines(folders.node(name).log);
  throw new Fault('ledger.unavailable', `${name} ${what}; its log ${folders.node(name).log} ends with:\n${said}`, {
    retry: false,
  });
}

export function programsOf({ folders, tools, topology }: Site): Program[] {
  const environment = (name: string) => ({ FABRIC_CFG_PATH: folders.node(name).home, FABRIC_LOGGING_SPEC: 'warn' });
  const main = fileURLToPath(new URL('../contract-server-main.ts', import.meta.url));
  return [
    ...topology.authorities.map((place) => authorityProgram(folders, tools, place)),
    ...topology.orderers.map(({ name }) => ({
      name,
      path: tools.path('orderer'),
      args: [],
      environment: environment(name),
    })),
    ...topology.peers.flatMap(({ name }) => [
      { name, path: tools.path('peer'), args: ['node', 'start'], environment: environment(name) },
      {
        name: contractsName({ name }),
        path: process.execPath,
        args: [main, contractServerFile(folders, contractsName({ name }))],
        environment: { CORE_CHAINCODE_LOGGING_LEVEL: 'error' },
      },
    ]),
  ];
}

/** Ends the network's programs; `erase` also deletes its folder. Returns the names of what ran. */
export async function stopNetwork(folder: string, options: { readonly erase: boolean }): Promise<string[]> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return [];
  const folders = foldersOf(root);
  return withLock(folders.lock, async () => {
    const stopped = await stopPrograms(folders);
    if (options.erase) await forget(folders);
    return stopped.toSorted();
  });
}

/** Deletes what a network consists of, and nothing else that may lie in the folder. */
async function forget(folders: Folders): Promise<void> {
  const made = ['nodes', 'organizations', 'channels', 'builder', 'trust', 'wallet', 'connection.json', 'network.json'];
  for (const name of made) await rm(`${folders.root}/${name}`, { recursive: true, force: true });
}

/** The network's record, undefined where there is none. */
export async function readRecord(folders: Folders): Promise<NetworkRecord | undefined> {
  const text = await readFile(folders.network, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as NetworkRecord;
  if (record.version !== 2) throw refuse('config.invalid', `${folders.network} is of another version of Assay`);
  return record;
}
