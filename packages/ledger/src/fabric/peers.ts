/** Connections to the gateways of several peers: one is used until it fails, then the next. */

import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { limits, type Clock } from '@assay/core';
import { signLowS } from './low-s.ts';
import type { ConnectionProfile } from './network/profile.ts';
import type { FabricMember } from './wallet.ts';

export interface Peers {
  /** The channel as `member` sees it through the peer in use. */
  network(member: FabricMember): Network;
  /** A number that changes when another peer is taken. */
  readonly turn: number;
  /** Takes the next peer, unless somebody did since `turn`. */
  failOver(turn: number): void;
  close(): void;
}

interface Connection {
  readonly client: Client;
  readonly gateways: Map<string, Gateway>;
}

/** Connects as needed; a peer that does not answer yet is tried again by gRPC. */
export async function openPeers(profile: ConnectionProfile, channel: string, clock: Clock): Promise<Peers> {
  const [key, certificate] = await Promise.all([
    readFile(profile.clientTls.key),
    readFile(profile.clientTls.certificate),
  ]);
  const tlsClientCertificateHash = createHash('sha256').update(new X509Certificate(certificate).raw).digest();
  // A peer that is not on the channel is of no use to it.
  const usable = profile.peers.filter(({ mspId }) => profile.channels[channel]?.includes(mspId));
  const connections: Connection[] = await Promise.all(
    usable.map(async ({ address, tlsAuthority }) => ({
      client: new Client(address, credentials.createSsl(await readFile(tlsAuthority), key, certificate), {
        'grpc.initial_reconnect_backoff_ms': limits.fabricRetryMs,
        'grpc.min_reconnect_backoff_ms': limits.fabricRetryMs,
        'grpc.max_reconnect_backoff_ms': limits.fabricRetryMaxMs,
        'grpc.max_receive_message_length': -1,
        'grpc.keepalive_time_ms': 20_000,
        'grpc.keepalive_timeout_ms': 5_000,
      }),
      gateways: new Map<string, Gateway>(),
    })),
  );
  let turn = 0;
  const within = (ms: number) => () => ({ deadline: clock.nowMs() + ms });
  return {
    get turn() {
      return turn;
    },
    failOver(seen) {
      if (seen === turn) turn += 1;
    },
    network(member) {
      const connection = connections[turn % connections.length];
      if (!connection) throw new Error('the profile names no peer of this channel');
      let gateway = connection.gateways.get(member.fingerprint);
      if (!gateway) {
        gateway = connect({
          client: connection.client,
          identity: { mspId: member.mspId, credentials: Buffer.from(member.certificate) },
          signer: async (message) => signLowS(message, member.key),
          hash: hash.none,
          tlsClientCertificateHash,
          evaluateOptions: within(limits.fabricCallMs),
          endorseOptions: within(limits.fabricCallMs),
          submitOptions: within(limits.fabricCallMs),
          commitStatusOptions: within(limits.fabricCommitMs),
        });
        if (connection.gateways.size >= limits.ledgerCertificates) connection.gateways.clear();
        connection.gateways.set(member.fingerprint, gateway);
      }
      return gateway.getNetwork(channel);
    },
    close() {
      for (const { client, gateways } of connections) {
        for (const gateway of gateways.values()) gateway.close();
        client.close();
      }
    },
  };
}
