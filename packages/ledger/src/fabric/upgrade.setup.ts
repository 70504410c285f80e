/**
 * The steps of `docs/how-to/upgrade-contracts.md` on a test's network: a second contract server beside each peer's first,
 * a package that names it, and a definition that both organisations approve.
 */

import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContractVersion } from '@assay/contracts';
import type { ContractServerSettings } from './contract-server.ts';
import { killProgram, mendNetwork, toolsRoot, type TestNetwork } from './fabric.setup.ts';
import { contractsPackage } from './network/contracts-package.ts';
import { foldersOf, writeSecret } from './network/folders.ts';
import { choosePorts } from './network/ports.ts';
import type { ContractKeys } from './network/organizations.ts';
import { startProgram } from './network/processes.ts';
import { contractServerFile, ordererFlags, patiently, peerCommand, type Site } from './network/provision.ts';
import { findTools } from './network/tools.ts';
import { chaincodeName, contractsName, type ChannelName, type PeerPlace } from './network/topology.ts';

async function siteOf({ folder, topology }: TestNetwork): Promise<Site> {
  return { folders: foldersOf(await realpath(folder)), tools: findTools(toolsRoot, topology.ordering), topology };
}

async function settingsOf(site: Site, peer: PeerPlace): Promise<ContractServerSettings> {
  const text = await readFile(contractServerFile(site.folders, contractsName(peer)), 'utf8');
  return JSON.parse(text) as ContractServerSettings;
}

/** Restarts every contract server with an earlier version; call it before anything is submitted. */
export async function runContracts(network: TestNetwork, version: ContractVersion): Promise<void> {
  const site = await siteOf(network);
  for (const peer of network.topology.peers) {
    const settings = { ...(await settingsOf(site, peer)), contracts: version };
    await writeSecret(contractServerFile(site.folders, contractsName(peer)), JSON.stringify(settings));
    await killProgram(network.folder, contractsName(peer));
  }
  await mendNetwork(network.folder);
}

/** The name of a peer's contract server of version 2. */
export const nextServer = ({ mspId }: Pick<PeerPlace, 'mspId'>): string => `contracts-2.${mspId}`;

/** Brings `channel` from the first definition to the second, while the servers of both run. */
export async function upgradeToTwo(network: TestNetwork, channel: ChannelName): Promise<void> {
  const site = await siteOf(network);
  const { folders, topology } = site;
  const members = topology.peers.filter(({ mspId }) => topology.channels[channel].includes(mspId));
  const definition = ['-C', channel, '-n', chaincodeName, '-v', '2', '--sequence', '2'];
  for (const peer of members) {
    const packageId = await startSecondServer(site, peer);
    const approve = ['lifecycle', 'chaincode', 'approveformyorg', ...ordererFlags(site, peer), ...definition];
    await patiently(() => peerCommand(site, peer, [...approve, '--package-id', packageId]));
  }
  const [first] = members;
  if (!first) throw new Error(`nobody is on ${channel}`);
  const endorsers = members.flatMap(({ mspId, host, port }) => [
    '--peerAddresses',
    `${host}:${port}`,
    '--tlsRootCertFiles',
    folders.trust(mspId),
  ]);
  const commit = ['lifecycle', 'chaincode', 'commit', ...ordererFlags(site, first), ...definition, ...endorsers];
  await patiently(() => peerCommand(site, first, commit));
}

/** Installs the package first: the server must answer to the id that the peer gives it. */
async function startSecondServer(site: Site, peer: PeerPlace): Promise<string> {
  const { folders } = site;
  const [port] = await choosePorts(0, 1);
  const address = `127.0.0.1:${port}`;
  const keys = JSON.parse(await readFile(folders.organization(peer.mspId).contractsKeys, 'utf8')) as ContractKeys;
  const { id, bytes } = contractsPackage({ address, ...keys }, 'assay_2');
  const name = nextServer(peer);
  const file = join(folders.node(name).home, 'package.tar.gz');
  await writeSecret(file, bytes);
  await peerCommand(site, peer, ['lifecycle', 'chaincode', 'install', file]);
  const settings = { ...(await settingsOf(site, peer)), packageId: id, address, contracts: 2 };
  await writeSecret(contractServerFile(folders, name), JSON.stringify(settings));
  await startProgram(folders, {
    name,
    path: process.execPath,
    args: [fileURLToPath(new URL('contract-server-main.ts', import.meta.url)), contractServerFile(folders, name)],
    environment: { CORE_CHAINCODE_LOGGING_LEVEL: 'error' },
  });
  return id;
}
