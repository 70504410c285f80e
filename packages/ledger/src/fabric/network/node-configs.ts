/** The files that Fabric's programs are configured by. They are YAML, of which JSON is a part. */

import { join } from 'node:path';
import type { Folders } from './folders.ts';
import {
  channels,
  ordererMsp,
  orderings,
  peerOrganizations,
  type OrdererPlace,
  type PeerPlace,
  type Topology,
} from './topology.ts';

const bccsp = { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } };
const host = '127.0.0.1';

function tlsAuthorities(folders: Folders): string[] {
  return [ordererMsp, ...peerOrganizations].map((mspId) => folders.organization(mspId).tlsAuthority.certificate);
}

export function ordererConfig(folders: Folders, place: OrdererPlace): string {
  const { home, msp, tls } = folders.node(place.name);
  const own = folders.organization(ordererMsp).tlsAuthority.certificate;
  const server = { Enabled: true, PrivateKey: tls.key, Certificate: tls.certificate, ClientAuthRequired: true };
  return JSON.stringify({
    General: {
      ListenAddress: host,
      ListenPort: place.port,
      LocalMSPID: ordererMsp,
      LocalMSPDir: msp,
      BootstrapMethod: 'none',
      TLS: { ...server, RootCAs: [own], ClientRootCAs: tlsAuthorities(folders) },
      Keepalive: { ServerMinInterval: '10s', ServerInterval: '7200s', ServerTimeout: '20s' },
      Cluster: { SendBufferSize: 100 },
      Authentication: { TimeWindow: '15m' },
      BCCSP: bccsp,
    },
    FileLedger: { Location: join(home, 'ledger') },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '1 MB' },
    Admin: { ListenAddress: `${host}:${place.adminPort}`, TLS: { ...server, ClientRootCAs: [own] } },
    Operations: { ListenAddress: `${host}:${place.operationsPort}`, TLS: { ...server, ClientRootCAs: [own] } },
    Metrics: { Provider: 'prometheus' },
    Consensus: { WALDir: join(home, 'wal'), SnapDir: join(home, 'snap') },
  });
}

/** What does not depend on the peer. */
const peerBehaviour = {
  gateway: { enabled: true, endorsementTimeout: '10s', broadcastTimeout: '10s', dialTimeout: '5s' },
  keepalive: {
    interval: '7200s',
    timeout: '20s',
    minInterval: '10s',
    client: { interval: '60s', timeout: '20s' },
    deliveryClient: { interval: '60s', timeout: '20s' },
  },
  authentication: { timewindow: '15m' },
  BCCSP: bccsp,
  client: { connTimeout: '3s' },
  deliveryclient: {
    blockGossipEnabled: false,
    reconnectTotalTimeThreshold: '3600s',
    connTimeout: '3s',
    reConnectBackoffThreshold: '1s',
  },
  handlers: {
    authFilters: [{ name: 'DefaultAuth' }, { name: 'ExpirationCheck' }],
    decorators: [{ name: 'DefaultDecorator' }],
    endorsers: { escc: { name: 'DefaultEndorsement' } },
    validators: { vscc: { name: 'DefaultValidation' } },
  },
  discovery: {
    enabled: true,
    authCacheEnabled: true,
    authCacheMaxSize: 1000,
    authCachePurgeRetentionRatio: 0.75,
    orgMembersAllowedAccess: false,
  },
  limits: { concurrency: { endorserService: 2500, deliverService: 2500, gatewayService: 2000 } },
};

/** Contracts run as services of their own; what they write lies in the peer's folder. */
function execution(folders: Folders, home: string) {
  return {
    vm: { endpoint: '' },
    chaincode: {
      mode: 'net',
      externalBuilders: [{ name: 'ccaas', path: folders.builder }],
      installTimeout: '60s',
      startuptimeout: '60s',
      executetimeout: '30s',
      system: { _lifecycle: 'enable', cscc: 'enable', lscc: 'enable', qscc: 'enable' },
    },
    ledger: {
      snapshots: { rootDir: join(home, 'snapshots') },
      state: { stateDatabase: 'goleveldb', totalQueryLimit: 100_000 },
      history: { enableHistoryDatabase: true },
      pvtdataStore: {
        collElgProcMaxDbBatchSize: 5000,
        collElgProcDbBatchesInterval: 1000,
        deprioritizedDataReconcilerInterval: '60m',
        purgeInterval: 100,
        purgedKeyAuditLogging: true,
      },
    },
  };
}

export function peerConfig(folders: Folders, place: PeerPlace): string {
  const { home, msp, tls } = folders.node(place.name);
  const own = folders.organization(place.mspId).tlsAuthority.certificate;
  const address = `${host}:${place.port}`;
  return JSON.stringify({
    peer: {
      id: place.name,
      networkId: 'assay',
      localMspId: place.mspId,
      localMspType: 'bccsp',
      mspConfigPath: msp,
      fileSystemPath: join(home, 'data'),
      address,
      listenAddress: address,
      chaincodeAddress: `${host}:${place.chaincodePort}`,
      chaincodeListenAddress: `${host}:${place.chaincodePort}`,
      ...peerBehaviour,
      gossip: gossip(address),
      tls: {
        enabled: true,
        clientAuthRequired: true,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        rootcert: { file: own },
        clientRootCAs: { files: tlsAuthorities(folders) },
        clientCert: { file: tls.certificate },
        clientKey: { file: tls.key },
      },
    },
    ...execution(folders, home),
    operations: {
      listenAddress: `${host}:${place.operationsPort}`,
      tls: {
        enabled: true,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        clientAuthRequired: true,
        clientRootCAs: { files: [own] },
      },
    },
    metrics: { provider: 'prometheus' },
  });
}

/** Short intervals: with the usual ones the peers find each other only half a minute after they joined a channel. */
function gossip(address: string) {
  return {
    bootstrap: address,
    externalEndpoint: address,
    useLeaderElection: false,
    orgLeader: true,
    dialTimeout: '1s',
    connTimeout: '1s',
    reconnectInterval: '1s',
    aliveTimeInterval: '1s',
    aliveExpirationTimeout: '5s',
    membershipTrackerInterval: '1s',
    publishStateInfoInterval: '500ms',
    requestStateInfoInterval: '500ms',
    state: { enabled: false },
    pvtData: {
      pullRetryThreshold: '60s',
      transientstoreMaxBlockRetention: 1000,
      pushAckTimeout: '3s',
      btlPullMargin: 10,
      reconcileBatchSize: 10,
      reconcileSleepInterval: '1m',
      reconciliationEnabled: true,
      implicitCollectionDisseminationPolicy: { requiredPeerCount: 0, maxPeerCount: 1 },
    },
  };
}

const anyMember = { Type: 'ImplicitMeta', Rule: 'ANY Readers' };
const standardPolicies = {
  Readers: anyMember,
  Writers: { Type: 'ImplicitMeta', Rule: 'ANY Writers' },
  Admins: { Type: 'ImplicitMeta', Rule: 'MAJORITY Admins' },
};

/** Policies, organisations and the order of blocks, per channel; the profiles bear the channels' names. */
export function channelConfig(folders: Folders, topology: Topology): string {
  const profiles = Object.entries(channels).map(([name, members]) => [
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
          .map((peer) => member(folders, peer)),
      },
    },
  ]);
  return JSON.stringify({ Profiles: Object.fromEntries(profiles) });
}

function signature(rule: string) {
  return { Type: 'Signature', Rule: rule };
}

function member(folders: Folders, { mspId, port }: PeerPlace) {
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
    const where = { Host: host, Port: place.port, ClientTLSCert: certificate, ServerTLSCert: certificate };
    const identity = join(folders.node(place.name).msp, 'signcerts', 'cert.pem');
    return topology.ordering === 'bft' ? { ...where, ID: index + 1, MSPID: ordererMsp, Identity: identity } : where;
  });
  const organization = {
    Name: ordererMsp,
    ID: ordererMsp,
    MSPDir: folders.organization(ordererMsp).msp,
    Policies: { Readers: all, Writers: all, Admins: signature(`OR('${ordererMsp}.admin')`) },
    OrdererEndpoints: topology.orderers.map(({ port }) => `${host}:${port}`),
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
