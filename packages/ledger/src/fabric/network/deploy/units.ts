/** A deployed network as a list of long-running programs, from which the files for Compose and Kubernetes are made. */

import {
  channelsOf,
  contractsName,
  memberships,
  orderings,
  ordererMsp,
  type AuthorityPlace,
  type Membership,
  type Ordering,
  type PeerPlace,
  type Topology,
} from '../topology.ts';
import { toolVersions } from '../tools.ts';

/** Every program has a machine of its own, so that the same port may appear on each. */
const ports = {
  orderer: 7050,
  peer: 7051,
  chaincode: 7052,
  admin: 7053,
  contracts: 7054,
  authority: 7055,
  operations: 9443,
} as const;

/** Where a program finds what it was given (not to be written to), and where it writes. */
export const givenRoot = '/network';
export const dataRoot = '/data';

/** What is deployed: how it orders, and who issues certificates. */
export interface Deployment {
  readonly ordering: Ordering;
  readonly membership: Membership;
}

export interface Unit {
  readonly kind: 'authority' | 'orderer' | 'peer' | 'contracts';
  readonly name: string;
  readonly mspId: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  /** How to ask whether it is well: over HTTPS, or whether the port is open. */
  readonly probe: Readonly<{ port: number; path: string | null }>;
  /** Whether it keeps anything. */
  readonly keeps: boolean;
  readonly memoryMiB: number;
  readonly cpus: number;
}

/** PlatformMSP is `platform`, WorkerRuMSP is `worker-ru`. */
export function slugOf(mspId: string): string {
  return mspId
    .replace(/MSP$/, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
}

/** Images that `deploy/fabric/images/build` makes; the versions are those of `deploy/tools`. */
export function imagesOf({ ordering }: Pick<Deployment, 'ordering'>) {
  const version = toolVersions[orderings[ordering].tools];
  return {
    fabric: `assay-fabric:${version}`,
    authority: `assay-fabric-ca:${toolVersions['fabric-ca']}`,
    operator: `assay-operator:fabric-${version}`,
  };
}

/** The network's layout: names are names of hosts. */
export function deployedTopology({ ordering, membership }: Deployment): Topology {
  const { organizations, authorities } = memberships[membership];
  return {
    ordering,
    listen: '0.0.0.0',
    orderers: Array.from({ length: orderings[ordering].orderers }, (_, index) => ({
      name: `orderer${index + 1}`,
      host: `orderer${index + 1}`,
      port: ports.orderer,
      adminPort: ports.admin,
      operationsPort: ports.operations,
    })),
    peers: organizations.map((mspId) => ({
      mspId,
      name: `peer-${slugOf(mspId)}`,
      host: `peer-${slugOf(mspId)}`,
      port: ports.peer,
      chaincodePort: ports.chaincode,
      operationsPort: ports.operations,
      contractsHost: `contracts-${slugOf(mspId)}`,
      contractsPort: ports.contracts,
    })),
    authorities: authorities
      ? [ordererMsp, ...organizations].map((mspId) => {
          const name = `ca-${slugOf(mspId)}`;
          return { mspId, name, host: name, port: ports.authority };
        })
      : [],
    channels: channelsOf(organizations),
  };
}

export const operatorProgram = '/assay/packages/ledger/src/fabric/network/deploy/deployment-main.ts';

/** The programs of a network, in the order in which they come to life. */
export function unitsOf(deployment: Deployment): Unit[] {
  const topology = deployedTopology(deployment);
  const images = imagesOf(deployment);
  return [
    ...topology.authorities.map((place) => authorityUnit(place, images.authority)),
    ...topology.orderers.map(({ name }) => nodeUnit('orderer', name, ordererMsp, images.fabric)),
    ...topology.peers.flatMap((peer) => [
      nodeUnit('peer', peer.name, peer.mspId, images.fabric),
      contractsUnit(peer, images.operator),
    ]),
  ];
}

function authorityUnit({ name, mspId }: AuthorityPlace, image: string): Unit {
  return {
    kind: 'authority',
    name,
    mspId,
    image,
    command: ['fabric-ca-server', 'start', '--home', dataRoot, '--loglevel', 'warning'],
    environment: {},
    ports: { enrolment: ports.authority },
    probe: { port: ports.authority, path: '/cainfo' },
    keeps: true,
    memoryMiB: 128,
    cpus: 0.5,
  };
}

function nodeUnit(kind: 'orderer' | 'peer', name: string, mspId: string, image: string): Unit {
  const open = kind === 'peer' ? { peer: ports.peer } : { orderer: ports.orderer, admin: ports.admin };
  return {
    kind,
    name,
    mspId,
    image,
    command: kind === 'peer' ? ['peer', 'node', 'start'] : ['orderer'],
    environment: { FABRIC_CFG_PATH: `${givenRoot}/nodes/${name}`, FABRIC_LOGGING_SPEC: 'warn' },
    ports: { ...open, operations: ports.operations },
    probe: { port: ports.operations, path: '/healthz' },
    keeps: true,
    memoryMiB: kind === 'peer' ? 1024 : 512,
    cpus: kind === 'peer' ? 2 : 1,
  };
}

function contractsUnit(peer: PeerPlace, image: string): Unit {
  const name = contractsName(peer);
  return {
    kind: 'contracts',
    name,
    mspId: peer.mspId,
    image,
    command: ['node', operatorProgram, 'contracts', `${givenRoot}/nodes/${name}/server.json`],
    environment: { CORE_CHAINCODE_LOGGING_LEVEL: 'error' },
    ports: { contracts: ports.contracts },
    probe: { port: ports.contracts, path: null },
    keeps: false,
    memoryMiB: 512,
    cpus: 1,
  };
}

/** As a container runs it to see whether its program is well. */
export function probeCommand({ kind, mspId, probe: { port, path } }: Unit): string[] {
  if (path === null) return ['probe', `localhost:${port}`];
  // An authority has its own certificate, and nothing of the others.
  const trust = kind === 'authority' ? `${dataRoot}/tls-ca/ca-cert.pem` : `${givenRoot}/trust/${mspId}.pem`;
  return ['probe', trust, `https://localhost:${port}${path}`];
}
