/** Changes who is on a channel: a configuration update that a majority of the members' administrators sign. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@assay/core';
import { organizationConfig } from './channel-config.ts';
import { writeSecret } from './folders.ts';
import { ordererFlags, patiently, peerCommand, type Site } from './provision.ts';
import { runTool } from './tools.ts';
import type { ChannelName, PeerPlace } from './topology.ts';

/** What the update touches of a channel's configuration; the rest is carried along. */
interface ChannelConfiguration {
  readonly channel_group: {
    readonly groups: Readonly<{ Application: { readonly groups: Record<string, unknown> } }>;
  };
}

/**
 * Adds the organisation of `newcomer` to a channel, unless it is there. Only what it publishes of itself is needed: the
 * folder of its membership service and the address of its peer. Faults where the members do not accept it.
 */
export async function admit(site: Site, newcomer: PeerPlace, channel: ChannelName): Promise<void> {
  const { folders, topology } = site;
  const members = topology.peers.filter(({ mspId }) => topology.channels[channel].includes(mspId));
  const [first] = members;
  if (!first) throw new Fault('ledger.unavailable', `${channel} has no member here`, { retry: false });
  const work = join(folders.root, 'organizations', newcomer.mspId, 'joining', channel);
  const config = await fetchConfiguration(site, first, channel, work);
  const known = config.channel_group.groups.Application.groups;
  if (newcomer.mspId in known) return;
  await encode(site, 'common.Config', config, join(work, 'current.pb'));
  known[newcomer.mspId] = await groupOf(site, newcomer, work);
  await encode(site, 'common.Config', config, join(work, 'wanted.pb'));
  const update = await writeUpdate(site, channel, work);
  // Each signs the file in turn; the last of them signs and sends it.
  const signers = members.slice(0, Math.floor(members.length / 2) + 1);
  for (const signer of signers.slice(1)) await peerCommand(site, signer, ['channel', 'signconfigtx', '-f', update]);
  await patiently(() =>
    peerCommand(site, first, ['channel', 'update', '-f', update, '-c', channel, ...ordererFlags(site, first)]),
  );
}

/** The channel's first block, as a member gets it from the orderers. */
export async function fetchFirstBlock(site: Site, peer: PeerPlace, channel: ChannelName): Promise<string> {
  const path = join(site.folders.root, 'organizations', peer.mspId, 'joining', `${channel}.block`);
  await patiently(() =>
    peerCommand(site, peer, ['channel', 'fetch', 'oldest', path, '-c', channel, ...ordererFlags(site, peer)]),
  );
  return path;
}

async function fetchConfiguration(
  site: Site,
  member: PeerPlace,
  channel: ChannelName,
  work: string,
): Promise<ChannelConfiguration> {
  const path = join(work, 'config.block');
  await writeSecret(path, '');
  await peerCommand(site, member, ['channel', 'fetch', 'config', path, '-c', channel, ...ordererFlags(site, member)]);
  const block = (await decode(site, 'common.Block', path)) as {
    readonly data: {
      readonly data: readonly [{ readonly payload: { readonly data: { config: ChannelConfiguration } } }];
    };
  };
  return block.data.data[0].payload.data.config;
}

/** The organisation as the channel will know it; its anchor is not part of what configtxgen prints. */
async function groupOf({ folders, tools }: Site, peer: PeerPlace, work: string): Promise<unknown> {
  await writeSecret(join(work, 'configtx.yaml'), organizationConfig(folders, peer));
  const printed = await runTool(tools.path('configtxgen'), ['-printOrg', peer.mspId], {
    FABRIC_CFG_PATH: work,
    FABRIC_LOGGING_SPEC: 'error',
  });
  const group = JSON.parse(printed) as { readonly values: Readonly<Record<string, unknown>> };
  const anchors = { anchor_peers: [{ host: peer.host, port: peer.port }] };
  const values = { ...group.values, AnchorPeers: { mod_policy: 'Admins', value: anchors, version: '0' } };
  return { ...group, values };
}

async function writeUpdate(site: Site, channel: ChannelName, work: string): Promise<string> {
  const difference = join(work, 'difference.pb');
  await runTool(
    site.tools.path('configtxlator'),
    [
      'compute_update',
      `--channel_id=${channel}`,
      `--original=${join(work, 'current.pb')}`,
      `--updated=${join(work, 'wanted.pb')}`,
      `--output=${difference}`,
    ],
    {},
  );
  const envelope = {
    payload: {
      // 2 is CONFIG_UPDATE.
      header: { channel_header: { channel_id: channel, type: 2 } },
      data: { config_update: await decode(site, 'common.ConfigUpdate', difference) },
    },
  };
  const path = join(work, 'update.pb');
  await encode(site, 'common.Envelope', envelope, path);
  return path;
}

async function decode({ tools }: Site, type: string, path: string): Promise<unknown> {
  const args = ['proto_decode', `--input=${path}`, `--type=${type}`, `--output=${path}.json`];
  await runTool(tools.path('configtxlator'), args, {});
  return JSON.parse(await readFile(`${path}.json`, 'utf8'));
}

async function encode({ tools }: Site, type: string, value: unknown, path: string): Promise<void> {
  await writeSecret(`${path}.json`, JSON.stringify(value));
  const args = ['proto_encode', `--input=${path}.json`, `--type=${type}`, `--output=${path}`];
  await runTool(tools.path('configtxlator'), args, {});
}
