/** What a network consists of: organisations, their nodes and where those listen, channels and who is on them. */

import { platformMsp, workerMsp } from '@assay/contracts';

export const ordererMsp = 'OrdererMSP';

/** The contracts' name on the channels. */
export const chaincodeName = 'assay';

/** Each channel has its own chain, its own state and its own members. */
export const channelNames = ['public-marketplace', 'private-science'] as const;
export type ChannelName = (typeof channelNames)[number];

/** How blocks are ordered: one orderer, three that survive the crash of one, four that survive the treason of one. */
export const orderings = {
  raft: { consensus: 'etcdraft', orderers: 1, tools: 'fabric' },
  'raft-3': { consensus: 'etcdraft', orderers: 3, tools: 'fabric' },
  bft: { consensus: 'BFT', orderers: 4, tools: 'fabric-bft' },
} as const;
export type Ordering = keyof typeof orderings;

/**
 * Who takes part, and who issues certificates: two organisations whose authorities the network makes itself, or three
 * with a fabric-ca server each.
 */
export const memberships = {
  own: { organizations: [platformMsp, workerMsp], authorities: false },
  'fabric-ca': { organizations: [platformMsp, 'WorkerRuMSP', 'WorkerEuMSP'], authorities: true },
} as const;
export type Membership = keyof typeof memberships;

export const loopback = '127.0.0.1';

export interface OrdererPlace {
  readonly name: string;
  /** The name or address by which others reach it. */
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly operationsPort: number;
}

export interface PeerPlace {
  readonly mspId: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Where chaincodes would connect to; ours are servers, but a peer always has it. */
  readonly chaincodePort: number;
  readonly operationsPort: number;
  /** Where the organisation's own contract server listens. */
  readonly contractsHost: string;
  readonly contractsPort: number;
}

/** An organisation's fabric-ca server. */
export interface AuthorityPlace {
  readonly mspId: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface Topology {
  readonly ordering: Ordering;
  /** The address that every program listens on. */
  readonly listen: string;
  readonly orderers: readonly OrdererPlace[];
  readonly peers: readonly PeerPlace[];
  /** Empty where the network makes its own authorities. */
  readonly authorities: readonly AuthorityPlace[];
  readonly channels: Readonly<Record<ChannelName, readonly string[]>>;
}

/** The organisation that orders, and those that endorse. */
export function organizationsOf({ peers }: Pick<Topology, 'peers'>): string[] {
  return [ordererMsp, ...peers.map(({ mspId }) => mspId)];
}

/** The name of the contract server that a peer calls. */
export function contractsName({ name }: Pick<PeerPlace, 'name'>): string {
  return name.replace(/^peer/, 'contracts');
}

/** How many ports a network of this kind takes on one machine. */
export function portCount(ordering: Ordering, membership: Membership = 'own'): number {
  const { organizations, authorities } = memberships[membership];
  const servers = authorities ? organizations.length + 1 : 0;
  return orderings[ordering].orderers * 3 + organizations.length * 4 + servers;
}

/** Lays a network out over `ports` of this machine. */
export function topologyOf(ordering: Ordering, ports: readonly number[], membership: Membership = 'own'): Topology {
  const { organizations, authorities } = memberships[membership];
  const left = [...ports];
  const next = (): number => left.shift() ?? 0;
  const orderers = Array.from({ length: orderings[ordering].orderers }, (_, index) => ({
    name: `orderer${index + 1}`,
    host: loopback,
    port: next(),
    adminPort: next(),
    operationsPort: next(),
  }));
  const peers = organizations.map((mspId) => localPeer(mspId, next));
  const servers = [ordererMsp, ...organizations].map((mspId) => ({
    mspId,
    name: `ca.${mspId}`,
    host: 'localhost',
    port: authorities ? next() : 0,
  }));
  return {
    ordering,
    listen: loopback,
    orderers,
    peers,
    authorities: authorities ? servers : [],
    channels: channelsOf(organizations),
  };
}

/** A peer of this machine. */
export function localPeer(mspId: string, next: () => number): PeerPlace {
  return {
    mspId,
    name: `peer.${mspId}`,
    host: loopback,
    port: next(),
    chaincodePort: next(),
    operationsPort: next(),
    contractsHost: loopback,
    contractsPort: next(),
  };
}

/** Everybody sees the marketplace; the private channel is the platform's alone. */
export function channelsOf(organizations: readonly string[]): Topology['channels'] {
  return { 'public-marketplace': [...organizations], 'private-science': [platformMsp] };
}
