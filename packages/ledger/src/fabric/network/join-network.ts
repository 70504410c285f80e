/** One more organisation on a running network of this machine: its keys, its peer, its contracts. */

import { realpath, rm } from 'node:fs/promises';
import { refuse } from '@assay/core';
import { writeAuthority, authorityProgram, caIssuer } from './fabric-ca.ts';
import { foldersOf, replaceSecret, type Folders } from './folders.ts';
import { ownIssuer, type Issuer } from './issuer.ts';
import { withLock } from './lock.ts';
import { admit, fetchFirstBlock } from './membership.ts';
import { programsOf, readRecord, startPrograms, type NetworkOptions } from './network.ts';
import { validityFrom, writeOrganization } from './organizations.ts';
import { portsFrom } from './ports.ts';
import { startProgram, stopPrograms } from './processes.ts';
import { writeProfile } from './profile.ts';
import {
  approveContracts,
  channelsJoined,
  definedSequence,
  installContracts,
  patiently,
  peerCommand,
  unlessDone,
  writePeer,
  type Site,
} from './provision.ts';
import { findTools } from './tools.ts';
import {
  contractsName,
  localPeer,
  organizationsOf,
  type AuthorityPlace,
  type PeerPlace,
  type Topology,
} from './topology.ts';

const channel = 'public-marketplace';
/** Names of organisations end up in paths, addresses and policies. */
const mspPattern = /^[A-Za-z][A-Za-z0-9]{1,40}MSP$/;

export interface JoinOptions extends Pick<NetworkOptions, 'folder' | 'tools' | 'clock' | 'progress'> {
  readonly mspId: string;
}

/**
 * Makes the organisation, lets the members of the public channel accept it, and starts its peer and contract server.
 * Called again after an interruption, it goes on where it was. Refuses `config.invalid` where the network does not run,
 * the name is taken, or another organisation's joining is unfinished.
 */
export async function joinNetwork(options: JoinOptions): Promise<Topology> {
  const { mspId, progress = () => undefined } = options;
  if (!mspPattern.test(mspId)) throw refuse('config.invalid', 'an organisation’s name is like LaboratoryMSP');
  const root = await realpath(options.folder).catch(() => undefined);
  if (root === undefined) throw refuse('config.invalid', 'there is no network: start one with ./assay fabric up');
  const folders = foldersOf(root);
  return withLock(folders.lock, async () => {
    const record = await readRecord(folders);
    if (!record?.ready) throw refuse('config.invalid', 'there is no network: start one with ./assay fabric up');
    if (organizationsOf(record.topology).includes(mspId)) {
      throw refuse('config.invalid', `${mspId} is on the network already`);
    }
    const unfinished = record.joining?.peer.mspId ?? mspId;
    if (unfinished !== mspId) {
      // The channel may count it as a member already: forgotten, it would be one that never endorses.
      throw refuse('config.invalid', `${unfinished} is half on the network: first ./assay fabric join ${unfinished}`);
    }
    const membership = record.topology.authorities.length > 0 ? 'fabric-ca' : 'own';
    const tools = findTools(options.tools, record.topology.ordering, membership);
    const before: Site = { folders, tools, topology: record.topology };
    const begun = record.joining ?? (await newPlaces(before, mspId));
    await replaceSecret(folders.network, JSON.stringify({ ...record, joining: begun }));
    const topology = enlarged(record.topology, begun);
    const site: Site = { folders, tools, topology };
    if (begun.made !== true) {
      progress('making its keys and certificates');
      await makeOrganization(site, begun, options.clock.nowMs());
      await replaceSecret(folders.network, JSON.stringify({ ...record, joining: { ...begun, made: true } }));
    }
    progress('asking the members of the channel');
    await admit(before, begun.peer, channel);
    progress('starting its peer and contract server');
    await startPrograms(site, programsOf(site));
    await catchUp(site, begun.peer);
    await writeProfile(site, { withAuthorities: topology.authorities.length === 0 });
    await replaceSecret(folders.network, JSON.stringify({ ...record, joining: undefined, topology }));
    return topology;
  });
}

/** An organisation that is about to join; `made`: its keys are there. */
export interface Joining {
  readonly peer: PeerPlace;
  readonly authority: AuthorityPlace | null;
  readonly made?: boolean;
}

async function newPlaces({ topology }: Site, mspId: string): Promise<Joining> {
  const ports = await portsFrom(undefined, 5);
  const next = (): number => ports.shift() ?? 0;
  const peer = localPeer(mspId, next);
  if (topology.authorities.length === 0) return { peer, authority: null };
  return { peer, authority: { mspId, name: `ca.${mspId}`, host: 'localhost', port: next() } };
}

function enlarged(topology: Topology, { peer, authority }: Joining): Topology {
  return {
    ...topology,
    peers: [...topology.peers, peer],
    authorities: authority ? [...topology.authorities, authority] : topology.authorities,
    channels: { ...topology.channels, [channel]: [...topology.channels[channel], peer.mspId] },
  };
}

async function makeOrganization(site: Site, { peer, authority }: Joining, nowMs: number): Promise<void> {
  const { folders } = site;
  await forgetOrganization(folders, peer, authority);
  const issuer = await issuerFor(site, peer.mspId, authority, nowMs);
  await writeOrganization(folders, { orderers: [], peers: [peer] }, issuer, validityFrom(nowMs));
  await issuer.close();
  await writePeer(site, peer);
}

/**
 * What an interrupted command made of it counts for nothing: least of all an authority that runs with keys which the
 * next lines overwrite, and that would keep its successor from the port.
 */
async function forgetOrganization(folders: Folders, peer: PeerPlace, authority: AuthorityPlace | null): Promise<void> {
  const nodes = [peer.name, contractsName(peer), ...(authority ? [authority.name] : [])];
  await stopPrograms(folders, nodes);
  const made = [...nodes.map((name) => folders.node(name).home), folders.organization(peer.mspId).home];
  for (const path of made) await rm(path, { recursive: true, force: true });
}

async function issuerFor(
  { folders, tools, topology }: Site,
  mspId: string,
  authority: AuthorityPlace | null,
  nowMs: number,
): Promise<Issuer> {
  if (!authority) return ownIssuer(folders, mspId, validityFrom(nowMs));
  await writeAuthority(folders, topology.listen, authority, validityFrom(nowMs));
  await startProgram(folders, authorityProgram(folders, tools, authority));
  return caIssuer(folders, tools, authority);
}

/** Joins the channel from its first block on and agrees to the contracts as they are defined there. */
async function catchUp(site: Site, peer: PeerPlace): Promise<void> {
  if (!(await channelsJoined(site, peer)).includes(channel)) {
    await peerCommand(site, peer, ['channel', 'join', '-b', await fetchFirstBlock(site, peer, channel)]);
  }
  await unlessDone(() => installContracts(site, peer));
  // A peer that is still behind does not know its own organisation yet.
  const sequence = await patiently(() => definedSequence(site, peer, channel));
  await approveContracts(site, peer, channel, sequence);
}
