/** What a local network consists of: organisations, their nodes and ports, channels and who is on them. */

import { platformMsp } from '@assay/contracts';

export const ordererMsp = 'OrdererMSP';
/** The organisation of those who run workers. */
export const workerMsp = 'WorkerMSP';
export const peerOrganizations = [platformMsp, workerMsp] as const;
export type PeerOrganization = (typeof peerOrganizations)[number];

/** The contracts' name on the channels. */
export const chaincodeName = 'assay';

/** Each channel has its own chain, its own state and its own members. */
export const channels: Readonly<Record<'public-marketplace' | 'private-science', readonly PeerOrganization[]>> = {
  'public-marketplace': [platformMsp, workerMsp],
  'private-science': [platformMsp],
};
export type ChannelName = keyof typeof channels;
export const channelNames = Object.keys(channels) as ChannelName[];

/** How blocks are ordered: one orderer, three that survive the crash of one, four that survive the treason of one. */
export const orderings = {
  raft: { consensus: 'etcdraft', orderers: 1, tools: 'fabric' },
  'raft-3': { consensus: 'etcdraft', orderers: 3, tools: 'fabric' },
  bft: { consensus: 'BFT', orderers: 4, tools: 'fabric-bft' },
} as const;
export type Ordering = keyof typeof orderings;

export interface OrdererPlace {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
  readonly operationsPort: number;
}

export interface PeerPlace {
  readonly mspId: PeerOrganization;
  readonly name: string;
  readonly port: number;
  /** Where chaincodes would connect to; ours are servers, but a peer always has it. */
  readonly chaincodePort: number;
  readonly operationsPort: number;
  /** Where the organisation's own contract server listens. */
  readonly contractsPort: number;
}

export interface Topology {
  readonly ordering: Ordering;
  readonly orderers: readonly OrdererPlace[];
  readonly peers: readonly PeerPlace[];
}

/** How many ports a network of this kind takes. */
export function portCount(ordering: Ordering): number {
  return orderings[ordering].orderers * 3 + peerOrganizations.length * 4;
}

/** Lays a network out over `ports`. */
export function topologyOf(ordering: Ordering, ports: readonly number[]): Topology {
  const left = [...ports];
  const next = (): number => left.shift() ?? 0;
  const orderers = Array.from({ length: orderings[ordering].orderers }, (_, index) => ({
    name: `orderer${index + 1}`,
    port: next(),
    adminPort: next(),
    operationsPort: next(),
  }));
  const peers = peerOrganizations.map((mspId) => ({
    mspId,
    name: `peer.${mspId}`,
    port: next(),
    chaincodePort: next(),
    operationsPort: next(),
    contractsPort: next(),
  }));
  return { ordering, orderers, peers };
}
