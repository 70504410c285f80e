/** Channels as their first blocks lay them down: members, policies, orderers. YAML, of which JSON is a part. */

import { join } from 'node:path';
import type { Folders } from './folders.ts';
import { ordererMsp, orderings, type PeerPlace, type Topology } from './topology.ts';

const anyMember = { Type: 'ImplicitMeta', Rule: 'ANY Readers' };
const standardPolicies = {
  Readers: anyMember,
  Writers: { Type: 'ImplicitMeta', Rule: 'ANY Writers' },
  Admins: { Type: 'ImplicitMeta', Rule: 'MAJORITY Admins' },
};

/** Policies, organisations and the order of blocks, per channel; the profiles bear the channels' names. */
export function channelConfig(folders: Folders, topology: Topology): string {
  const profiles = Object.entries(topology.channels).map(([name, members]) => [
    name,
    {
      Policies: standardPolicies,
      Capabilities: { [topology.ordering === 'bft' ? 'V3_0' : 'V2_0']: true },
      Orderer: ordererSection(folders, topology),
      Application: {
        Policies: {
          ...standardPolicies,
          Endorsement: { Type: 'ImplicitMeta', Rule: 'MAJORITY Endorsement' },
          LifecycleEndorsement: { Type: 'ImplicitMeta', Rule: 'MAJORITY Endorsement' },
        },
        Capabilities: { V2_5: true },
        Organizations: topology.peers
          .filter(({ mspId }) => members.includes(mspId))
          .map((peer) => memberSection(folders, peer)),
      },
    },
  ]);
  return JSON.stringify({ Profiles: Object.fromEntries(profiles) });
}

/** An organisation by itself, as it hands itself to the members of a channel. */
export function organizationConfig(folders: Folders, peer: PeerPlace): string {
  return JSON.stringify({ Organizations: [memberSection(folders, peer)] });
}

function signature(rule: string) {
  return { Type: 'Signature', Rule: rule };
}

/** What a channel knows of an organisation that endorses. */
function memberSection(folders: Folders, { mspId, host, port }: PeerPlace) {
  const anyone = signature(`OR('${mspId}.admin','${mspId}.peer','${mspId}.client')`);
  return {
    Name: mspId,
    ID: mspId,
    MSPDir: folders.organization(mspId).msp,
    Policies: {
      Readers: anyone,
      Writers: signature(`OR('${mspId}.admin','${mspId}.client')`),
      Admins: signature(`OR('${mspId}.admin')`),
      Endorsement: signature(`OR('${mspId}.peer')`),
    },
    // Without it the gateway cannot find the other organisation's peer.
    AnchorPeers: [{ Host: host, Port: port }],
  };
}

function ordererSection(folders: Folders, topology: Topology) {
  const all = signature(`OR('${ordererMsp}.member')`);
  const consenters = topology.orderers.map((place, index) => {
    const { certificate } = folders.node(place.name).tls;
    const where = { Host: place.host, Port: place.port, ClientTLSCert: certificate, ServerTLSCert: certificate };
    const identity = join(folders.node(place.name).msp, 'signcerts', 'cert.pem');
    return topology.ordering === 'bft' ? { ...where, ID: index + 1, MSPID: ordererMsp, Identity: identity } : where;
  });
  const organization = {
    Name: ordererMsp,
    ID: ordererMsp,
    MSPDir: folders.organization(ordererMsp).msp,
    Policies: { Readers: all, Writers: all, Admins: signature(`OR('${ordererMsp}.admin')`) },
    OrdererEndpoints: topology.orderers.map(({ host, port }) => `${host}:${port}`),
  };
  return {
    OrdererType: orderings[topology.ordering].consensus,
    BatchTimeout: '100ms',
    BatchSize: { MaxMessageCount: 500, AbsoluteMaxBytes: '10 MB', PreferredMaxBytes: '2 MB' },
    Organizations: [organization],
    Policies: { ...standardPolicies, BlockValidation: { Type: 'ImplicitMeta', Rule: 'ANY Writers' } },
    Capabilities: { V2_0: true },
    ...(topology.ordering === 'bft'
      ? { SmartBFT: smartBft, ConsenterMapping: consenters }
      : { EtcdRaft: { Consenters: consenters, Options: raftOptions } }),
  };
}

/** A new leader within about a second. */
const raftOptions = {
  TickInterval: '100ms',
  ElectionTick: 10,
  HeartbeatTick: 1,
  MaxInflightBlocks: 5,
  SnapshotIntervalSize: '16 MB',
};

/** A dead leader costs about four seconds; with the usual values it would be twenty-five. */
const smartBft = {
  RequestBatchMaxInterval: '100ms',
  RequestForwardTimeout: '1s',
  RequestComplainTimeout: '3s',
  RequestAutoRemoveTimeout: '3m0s',
  ViewChangeResendInterval: '1s',
  ViewChangeTimeout: '4s',
  LeaderHeartbeatTimeout: '5s',
  CollectTimeout: '1s',
  IncomingMessageBufferSize: 200,
  RequestPoolSize: 100_000,
  LeaderHeartbeatCount: 10,
};
