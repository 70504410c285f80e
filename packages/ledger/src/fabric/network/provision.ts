/** Brings a fresh network from its keys to contracts that answer: blocks, joins, packages, definitions. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealedCollection } from '@assay/contracts';
import { Fault, limits } from '@assay/core';
import { builderPrograms, contractsPackage } from './contracts-package.ts';
import { writeOpen, writeSecret, type Folders } from './folders.ts';
import { channelConfig } from './channel-config.ts';
import type { Issuer } from './issuer.ts';
import { ordererConfig, peerConfig } from './node-configs.ts';
import { validityFrom, writeOrganization, type ContractKeys } from './organizations.ts';
import { runTool, type Tools } from './tools.ts';
import {
  chaincodeName,
  channelNames,
  contractsName,
  ordererMsp,
  type ChannelName,
  type OrdererPlace,
  type PeerPlace,
  type Topology,
} from './topology.ts';

export interface Site {
  readonly folders: Folders;
  readonly tools: Tools;
  readonly topology: Topology;
}

/** Private data of the members' own: on the chain stand only its hashes. */
const collections = [
  {
    name: sealedCollection,
    policy: "OR('PlatformMSP.member')",
    requiredPeerCount: 0,
    maxPeerCount: 3,
    blockToLive: 0,
    memberOnlyRead: true,
    memberOnlyWrite: true,
  },
];

/** Writes all files that the programs start from. */
export async function writeFiles(site: Site, issuers: readonly Issuer[], nowMs: number): Promise<void> {
  const { folders, tools, topology } = site;
  await Promise.all(issuers.map((issuer) => writeOrganization(folders, topology, issuer, validityFrom(nowMs))));
  for (const place of topology.orderers) {
    await writeSecret(join(folders.node(place.name).home, 'orderer.yaml'), ordererConfig(folders, topology, place));
  }
  for (const place of topology.peers) await writePeer(site, place);
  await writeSecret(join(folders.root, 'channels', 'configtx.yaml'), channelConfig(folders, topology));
  await writeSecret(folders.collections('private-science'), JSON.stringify(collections));
  const environment = { FABRIC_CFG_PATH: join(folders.root, 'channels'), FABRIC_LOGGING_SPEC: 'error' };
  await Promise.all(
    channelNames.map((name) =>
      runTool(
        tools.path('configtxgen'),
        ['-profile', name, '-channelID', name, '-outputBlock', folders.channel(name)],
        environment,
      ),
    ),
  );
}

/** What a peer and its contract server start from; their keys must be there. */
export async function writePeer({ folders, topology }: Site, place: PeerPlace): Promise<void> {
  for (const [name, text] of Object.entries(builderPrograms)) {
    await writeOpen(join(folders.builder, 'bin', name), text, 0o755);
  }
  await writeSecret(join(folders.node(place.name).home, 'core.yaml'), peerConfig(folders, topology, place));
  const files = folders.organization(place.mspId);
  const keys = JSON.parse(await readFile(files.contractsKeys, 'utf8')) as ContractKeys;
  const { id, bytes } = contractsPackage({ address: `${place.contractsHost}:${place.contractsPort}`, ...keys });
  await writeSecret(files.contractsPackage, bytes);
  const name = contractsName(place);
  const { key, certificate } = folders.node(name).tls;
  const server = {
    packageId: id,
    address: `${topology.listen}:${place.contractsPort}`,
    key,
    certificate,
    clientAuthority: folders.contractsAuthority(name),
  };
  await writeSecret(contractServerFile(folders, name), JSON.stringify(server));
}

/** What a contract server is configured by. */
export function contractServerFile(folders: Folders, name: string): string {
  return join(folders.node(name).home, 'server.json');
}

/** Orderers and peers join the channels, and the contracts are agreed on. The programs must be running. */
export async function joinAndDefine(site: Site, progress: (text: string) => void): Promise<void> {
  const { folders, tools, topology } = site;
  progress('joining the channels');
  await Promise.all(topology.orderers.map((place) => joinOrderer(folders, tools, place)));
  await Promise.all(topology.peers.map((peer) => installAndJoin(site, peer)));
  progress('agreeing on the contracts');
  // The second channel's definition does not wait for the first's.
  await Promise.all(channelNames.map((channel) => defineContracts(site, channel)));
}

async function joinOrderer(folders: Folders, tools: Tools, place: OrdererPlace): Promise<void> {
  const { admin } = folders.organization(ordererMsp);
  for (const channel of channelNames) {
    const named = flags({
      channelID: channel,
      'config-block': folders.channel(channel),
      'orderer-address': `${place.host}:${place.adminPort}`,
      'ca-file': folders.trust(ordererMsp),
      'client-cert': admin.tls.certificate,
      'client-key': admin.tls.key,
    });
    // It says that it is well a moment before it listens to administrators.
    const said = await patiently(() => runTool(tools.path('osnadmin'), ['channel', 'join', ...named], {}));
    // It ends with status 0 whatever the orderer answered.
    if (!said.includes('Status: 201') && !said.includes('channel already exists')) {
      throw new Fault('ledger.unavailable', `${place.name} did not join ${channel}: ${said}`, { retry: false });
    }
  }
}

async function installAndJoin(site: Site, peer: PeerPlace): Promise<void> {
  const own = channelNames.filter((channel) => site.topology.channels[channel].includes(peer.mspId));
  const joined = await channelsJoined(site, peer);
  for (const channel of own.filter((name) => !joined.includes(name))) {
    await peerCommand(site, peer, ['channel', 'join', '-b', site.folders.channel(channel)]);
  }
  await unlessDone(() => installContracts(site, peer));
}

/** What a peer says of its channels; it says that it is well a moment before it listens. */
export function channelsJoined(site: Site, peer: PeerPlace): Promise<string> {
  return patiently(() => peerCommand(site, peer, ['channel', 'list']));
}

/** A step that was done before an interruption is told apart by Fabric's words only. */
export async function unlessDone(step: () => Promise<unknown>): Promise<void> {
  await step().catch((error: unknown) => {
    if (!(error instanceof Fault) || !/already successfully installed|unchanged content/.test(error.message))
      throw error;
  });
}

/** Gives a peer its organisation's package of the contracts. */
export function installContracts(site: Site, peer: PeerPlace): Promise<string> {
  const { contractsPackage: file } = site.folders.organization(peer.mspId);
  return peerCommand(site, peer, ['lifecycle', 'chaincode', 'install', file]);
}

async function defineContracts(site: Site, channel: ChannelName): Promise<void> {
  const { folders, topology } = site;
  const members = topology.peers.filter(({ mspId }) => topology.channels[channel].includes(mspId));
  const [first] = members;
  if (!first) return;
  if ((await definedSequence(site, first, channel)) > 0) return;
  for (const peer of members) await approveContracts(site, peer, channel, 1);
  const endorsers = members.flatMap((peer) =>
    flags({
      peerAddresses: `${peer.host}:${peer.port}`,
      tlsRootCertFiles: folders.trust(peer.mspId),
    }),
  );
  const commit = [
    'lifecycle',
    'chaincode',
    'commit',
    ...ordererFlags(site, first),
    ...definitionOf(folders, channel, 1),
    ...endorsers,
  ];
  await patiently(() =>
    peerCommand(site, first, commit).catch(async (error: unknown) => {
      // An answer may be lost, and the same definition does not commit twice.
      if ((await definedSequence(site, first, channel)) === 0) throw error;
    }),
  );
}

/** The number of the contracts' definition on a channel; 0 where there is none yet. */
export async function definedSequence(site: Site, peer: PeerPlace, channel: ChannelName): Promise<number> {
  const asked = ['lifecycle', 'chaincode', 'querycommitted', '-C', channel, '-n', chaincodeName, '--output', 'json'];
  const said = await peerCommand(site, peer, asked).catch((error: unknown) => {
    if (error instanceof Fault && /is not defined|not found/.test(error.message)) return '{"sequence":0}';
    throw error;
  });
  return (JSON.parse(said) as { readonly sequence: number }).sequence;
}

/** An organisation agrees to the contracts' definition, with its own package, unless it has; the peer must have that. */
export async function approveContracts(site: Site, peer: PeerPlace, channel: ChannelName, sequence: number) {
  const text = await readFile(contractServerFile(site.folders, contractsName(peer)), 'utf8');
  const { packageId } = JSON.parse(text) as { packageId: string };
  const approve = ['lifecycle', 'chaincode', 'approveformyorg', ...ordererFlags(site, peer)];
  const definition = definitionOf(site.folders, channel, sequence);
  const command = [...approve, ...definition, '--package-id', packageId];
  await patiently(() => unlessDone(() => peerCommand(site, peer, command)));
}

function definitionOf(folders: Folders, channel: ChannelName, sequence: number): string[] {
  const definition = ['-C', channel, '-n', chaincodeName, '-v', String(sequence), '--sequence', String(sequence)];
  if (channel === 'private-science') definition.push('--collections-config', folders.collections(channel));
  return definition;
}

/** Where a peer's organisation sends what is to be ordered. */
export function ordererFlags({ folders, topology }: Site, { mspId }: PeerPlace): string[] {
  const { tls } = folders.organization(mspId).admin;
  const [first] = topology.orderers;
  const named = flags({
    orderer: `${first?.host}:${first?.port}`,
    cafile: folders.trust(ordererMsp),
    certfile: tls.certificate,
    keyfile: tls.key,
  });
  return ['--tls', '--clientauth', ...named];
}

function flags(named: Readonly<Record<string, string>>): string[] {
  return Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]);
}

/** A new channel has no leader for a moment. */
export async function patiently<T>(run: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + limits.fabricStartMs;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof Fault) || !error.retry || performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** Runs the peer's command line as the administrator of the peer's organisation. */
export function peerCommand({ folders, tools }: Site, peer: PeerPlace, args: readonly string[]): Promise<string> {
  const { admin } = folders.organization(peer.mspId);
  return runTool(tools.path('peer'), args, {
    FABRIC_CFG_PATH: folders.node(peer.name).home,
    FABRIC_LOGGING_SPEC: 'error',
    CORE_PEER_MSPCONFIGPATH: admin.msp,
    CORE_PEER_TLS_CLIENTAUTHREQUIRED: 'true',
    CORE_PEER_TLS_CLIENTCERT_FILE: admin.tls.certificate,
    CORE_PEER_TLS_CLIENTKEY_FILE: admin.tls.key,
  });
}
