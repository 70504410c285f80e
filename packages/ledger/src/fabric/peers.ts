/**
 * Connections to the gateways of several peers: one is used until it fails, then the next. The own organisation's come
 * first: what a peer says besides signed blocks is only its word.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, type Gateway, type Network, type Transaction } from '@hyperledger/fabric-gateway';
import { platformMsp } from '@assay/contracts';
import { limits, type Clock } from '@assay/core';
import { heightOf } from './height.ts';
import { signLowS } from './low-s.ts';
import type { ConnectionProfile } from './network/profile.ts';
import { openTurns } from './turns.ts';
import type { FabricMember } from './wallet.ts';

export interface Peers {
  /** The channel as `member` sees it through the peer in use. */
  network(member: FabricMember): Network;
  /** What `member` signed before, to be sent through the peer in use. */
  transaction(member: FabricMember, bytes: Uint8Array): Transaction;
  /** A number that changes when another peer is taken. */
  readonly turn: number;
  /** Takes the next peer, unless somebody did since `turn`. */
  failOver(turn: number): void;
  /** Whether the peer in use is the own organisation's, or there is none of its own. */
  readonly isOwn: boolean;
  /** Takes a peer of the own organisation that has `height` blocks; false where none answers so. */
  goHome(member: FabricMember, height: bigint): Promise<boolean>;
  close(): void;
}

interface Connection {
  readonly mspId: string;
  readonly client: Client;
  readonly gateways: Map<string, Gateway>;
}

/** Connects as needed; a peer that does not answer yet is tried again by gRPC. */
export async function openPeers(
  profile: ConnectionProfile,
  channel: string,
  clock: Clock,
  own: string = platformMsp,
): Promise<Peers> {
  const [key, certificate] = await Promise.all([
    readFile(profile.clientTls.key),
    readFile(profile.clientTls.certificate),
  ]);
  const tlsClientCertificateHash = createHash('sha256').update(new X509Certificate(certificate).raw).digest();
  // A peer that is not on the channel is of no use to it.
  const usable = profile.peers
    .filter(({ mspId }) => profile.channels[channel]?.includes(mspId))
    .toSorted((a, b) => Number(b.mspId === own) - Number(a.mspId === own));
  const connections: Connection[] = await Promise.all(
    usable.map(async ({ mspId, address, tlsAuthority }) => ({
      mspId,
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
  const gatewayOf = openGateways(tlsClientCertificateHash, clock);
  const turns = openTurns(connections.map(({ mspId }) => mspId === own));
  const current = (member: FabricMember): Gateway => {
    const connection = connections[turns.index];
    if (!connection) throw new Error('the profile names no peer of this channel');
    return gatewayOf(connection, member);
  };
  return {
    get turn() {
      return turns.turn;
    },
    get isOwn() {
      return turns.isOwn;
    },
    failOver: (seen) => turns.failOver(seen),
    network: (member) => current(member).getNetwork(channel),
    transaction: (member, bytes) => current(member).newTransaction(bytes),
    goHome: (member, height) =>
      turns.goHome(async (index) => {
        const connection = connections[index];
        if (!connection) return false;
        return (await heightOf(gatewayOf(connection, member).getNetwork(channel), own)) >= height;
      }),
    close() {
      for (const { client, gateways } of connections) {
        for (const gateway of gateways.values()) gateway.close();
        client.close();
      }
    },
  };
}

/** The gateway of a member over a connection, made once. */
function openGateways(tlsClientCertificateHash: Uint8Array, clock: Clock) {
  const within = (ms: number) => () => ({ deadline: clock.nowMs() + ms });
  return ({ client, gateways }: Connection, member: FabricMember): Gateway => {
    const known = gateways.get(member.fingerprint);
    if (known) return known;
    const gateway = connect({
      client,
      identity: { mspId: member.mspId, credentials: Buffer.from(member.certificate) },
      signer: async (message) => signLowS(message, member.key),
      hash: hash.none,
      tlsClientCertificateHash,
      evaluateOptions: within(limits.fabricCallMs),
      endorseOptions: within(limits.fabricCallMs),
      submitOptions: within(limits.fabricCallMs),
      commitStatusOptions: within(limits.fabricCommitMs),
    });
    if (gateways.size >= limits.ledgerCertificates) gateways.clear();
    gateways.set(member.fingerprint, gateway);
    return gateway;
  };
}
