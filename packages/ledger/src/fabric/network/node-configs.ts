/** The files that Fabric's programs are configured by. They are YAML, of which JSON is a part. */

import { join } from 'node:path';
import type { Folders } from './folders.ts';
import { loopback, ordererMsp, organizationsOf, type OrdererPlace, type PeerPlace, type Topology } from './topology.ts';

const bccsp = { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } };

/** Those whose clients may connect; organisations that join later are known from the channel. */
function tlsAuthorities(folders: Folders, topology: Topology): string[] {
  return organizationsOf(topology).map(folders.trust);
}

export function ordererConfig(folders: Folders, topology: Topology, place: OrdererPlace): string {
  const { data, msp, tls } = folders.node(place.name);
  const own = folders.trust(ordererMsp);
  const { listen } = topology;
  const server = { Enabled: true, PrivateKey: tls.key, Certificate: tls.certificate, ClientAuthRequired: true };
  return JSON.stringify({
    General: {
      ListenAddress: listen,
      ListenPort: place.port,
      LocalMSPID: ordererMsp,
      LocalMSPDir: msp,
      BootstrapMethod: 'none',
      TLS: { ...server, RootCAs: [own], ClientRootCAs: tlsAuthorities(folders, topology) },
      Keepalive: { ServerMinInterval: '10s', ServerInterval: '7200s', ServerTimeout: '20s' },
      Cluster: { SendBufferSize: 100 },
      Authentication: { TimeWindow: '15m' },
      BCCSP: bccsp,
    },
    FileLedger: { Location: join(data, 'ledger') },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '1 MB' },
    Admin: { ListenAddress: `${listen}:${place.adminPort}`, TLS: { ...server, ClientRootCAs: [own] } },
    Operations: {
      ListenAddress: `${listen}:${place.operationsPort}`,
      TLS: { ...server, ClientAuthRequired: asksProbes(topology), ClientRootCAs: [own] },
    },
    Metrics: { Provider: 'prometheus' },
    Consensus: { WALDir: join(data, 'wal'), SnapDir: join(data, 'snap') },
  });
}

/**
 * Whether health is told only to those who show a certificate. Where something else looks after the nodes, its probes
 * have none; of the other paths only that of Fabric's version, which is no secret, does not ask for one then.
 */
function asksProbes({ listen }: Topology): boolean {
  return listen === loopback;
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
function execution(folders: Folders, data: string) {
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
      snapshots: { rootDir: join(data, 'snapshots') },
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

export function peerConfig(folders: Folders, topology: Topology, place: PeerPlace): string {
  const { data, msp, tls } = folders.node(place.name);
  const own = folders.trust(place.mspId);
  const address = `${place.host}:${place.port}`;
  return JSON.stringify({
    peer: {
      id: place.name,
      networkId: 'assay',
      localMspId: place.mspId,
      localMspType: 'bccsp',
      mspConfigPath: msp,
      fileSystemPath: join(data, 'ledger'),
      address,
      listenAddress: `${topology.listen}:${place.port}`,
      // Nothing of ours connects there: contracts are servers.
      chaincodeAddress: `${loopback}:${place.chaincodePort}`,
      chaincodeListenAddress: `${loopback}:${place.chaincodePort}`,
      ...peerBehaviour,
      gossip: gossip(address),
      tls: {
        enabled: true,
        clientAuthRequired: true,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        rootcert: { file: own },
        clientRootCAs: { files: tlsAuthorities(folders, topology) },
        clientCert: { file: tls.certificate },
        clientKey: { file: tls.key },
      },
    },
    ...execution(folders, data),
    operations: {
      listenAddress: `${topology.listen}:${place.operationsPort}`,
      tls: {
        enabled: true,
        cert: { file: tls.certificate },
        key: { file: tls.key },
        clientAuthRequired: asksProbes(topology),
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
