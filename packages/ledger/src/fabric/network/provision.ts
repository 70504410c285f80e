/** Brings a fresh network from its keys to contracts that answer: blocks, joins, packages, definitions. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealedCollection } from '@assay/contracts';
import { Fault, limits } from '@assay/core';
import { builderPrograms, contractsPackage } from './contracts-package.ts';
import { writeOpen, writeSecret, type Folders } from './folders.ts';
import { channelConfig, ordererConfig, peerConfig } from './node-configs.ts';
import { writeOrganizations } from './organizations.ts';
import { runTool, type Tools } from './tools.ts';
import {
  chaincodeName,
  channelNames,
  channels,
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
export async function writeFiles({ folders, tools, topology }: Site, nowMs: number): Promise<void> {
  await writeOrganizations(folders, topology, nowMs);
  for (const [name, text] of Object.entries(builderPrograms)) {
    await writeOpen(join(folders.builder, 'bin', name), text, 0o755);
  }
  for (const place of topology.orderers) {
    await writeSecret(join(folders.node(place.name).home, 'orderer.yaml'), ordererConfig(folders, place));
  }
  for (const place of topology.peers) {
    await writeSecret(join(folders.node(place.name).home, 'core.yaml'), peerConfig(folders, place));
    await writeContractsPackage(folders, place);
  }
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

async function writeContractsPackage(folders: Folders, { mspId, contractsPort }: PeerPlace): Promise<void> {
  const files = folders.organization(mspId);
  const { id, bytes } = contractsPackage({
    address: `127.0.0.1:${contractsPort}`,
    rootCertificate: await readFile(files.contractsAuthority, 'utf8'),
    clientKey: await readFile(files.contractsClient.key, 'utf8'),
    clientCertificate: await readFile(files.contractsClient.certificate, 'utf8'),
  });
  await writeSecret(files.contractsPackage, bytes);
  const server = {
    packageId: id,
    address: `127.0.0.1:${contractsPort}`,
    key: files.contractsServer.key,
    certificate: files.contractsServer.certificate,
    clientAuthority: files.contractsAuthority,
  };
  await writeSecret(contractServerFile(folders, mspId), JSON.stringify(server));
}

/** What an organisation's contract server is configured by. */
export function contractServerFile(folders: Folders, mspId: string): string {
  return join(folders.node(`contracts.${mspId}`).home, 'server.json');
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
  const { admin, tlsAuthority } = folders.organization(ordererMsp);
  for (const channel of channelNames) {
    const said = await runTool(
      tools.path('osnadmin'),
      [
        'channel',
        'join',
        ...flags({
          channelID: channel,
          'config-block': folders.channel(channel),
          'orderer-address': `127.0.0.1:${place.adminPort}`,
          'ca-file': tlsAuthority.certificate,
          'client-cert': admin.tls.certificate,
          'client-key': admin.tls.key,
        }),
      ],
      {},
    );
    // It ends with status 0 whatever the orderer answered.
    if (!said.includes('Status: 201')) {
      throw new Fault('ledger.unavailable', `${place.name} did not join ${channel}: ${said}`, { retry: false });
    }
  }
}

async function installAndJoin(site: Site, peer: PeerPlace): Promise<void> {
  const own = channelNames.filter((channel) => channels[channel].includes(peer.mspId));
  for (const channel of own) await peerCommand(site, peer, ['channel', 'join', '-b', site.folders.channel(channel)]);
  const { contractsPackage: file } = site.folders.organization(peer.mspId);
  await peerCommand(site, peer, ['lifecycle', 'chaincode', 'install', file]);
}

async function defineContracts(site: Site, channel: ChannelName): Promise<void> {
  const { folders, topology } = site;
  const members = topology.peers.filter(({ mspId }) => channels[channel].includes(mspId));
  const [first] = members;
  if (!first) return;
  const definition = ['-C', channel, '-n', chaincodeName, '-v', '1', '--sequence', '1'];
  if (channel === 'private-science') definition.push('--collections-config', folders.collections(channel));
  for (const peer of members) {
    const { packageId } = JSON.parse(await readFile(contractServerFile(folders, peer.mspId), 'utf8')) as {
      packageId: string;
    };
    const approve = ['lifecycle', 'chaincode', 'approveformyorg', ...ordererFlags(site, peer)];
    await patiently(() => peerCommand(site, peer, [...approve, ...definition, '--package-id', packageId]));
  }
  const endorsers = members.flatMap((peer) =>
    flags({
      peerAddresses: `127.0.0.1:${peer.port}`,
      tlsRootCertFiles: folders.organization(peer.mspId).tlsAuthority.certificate,
    }),
  );
  const commit = ['lifecycle', 'chaincode', 'commit', ...ordererFlags(site, first), ...definition, ...endorsers];
  await patiently(() => peerCommand(site, first, commit));
}

function ordererFlags({ folders, topology }: Site, { mspId }: PeerPlace): string[] {
  const { tls } = folders.organization(mspId).admin;
  const authority = folders.organization(ordererMsp).tlsAuthority.certificate;
  const named = flags({
    orderer: `127.0.0.1:${topology.orderers[0]?.port ?? 0}`,
    cafile: authority,
    certfile: tls.certificate,
    keyfile: tls.key,
  });
  return ['--tls', '--clientauth', ...named];
}

function flags(named: Readonly<Record<string, string>>): string[] {
  return Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]);
}

/** A new channel has no leader for a moment. */
async function patiently(run: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + limits.fabricStartMs;
  for (;;) {
    try {
      await run();
      return;
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
