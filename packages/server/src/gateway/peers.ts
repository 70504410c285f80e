/** Who stands at the other end of the gateway's connections, and which account that is. */

import type { Socket } from 'node:net';
import { refuse, type Clock } from '@assay/core';
import { findAccountByEmail, type Tx } from '@assay/store';
import { rolesOf, type Caller } from '../auth/caller.ts';
import { clientFor, type ClientRow, type PeerCertificate } from './client-table.ts';

/** A certificate whose chain TLS has checked. */
export interface Peer extends PeerCertificate {
  readonly validToMs: number;
  /** The book's era in which its handshake began, and with it the authorities that it was checked against. */
  readonly era: number;
}

/** Connections of the gateway by their sockets; other connections are in no book. */
export interface PeerBook {
  note(socket: Socket, peer: Peer): void;
  of(socket: Socket): Peer | undefined;
  /** An authority lost its trust: whoever it let in until now has to come again, also on connections at work. */
  distrust(): void;
  /** How often that happened. */
  era(): number;
  /** Replaces the table of clients; it counts from the next request on, also on open connections. */
  name(clients: readonly ClientRow[]): void;
  clients(): readonly ClientRow[];
}

export function openPeerBook(): PeerBook {
  const peers = new WeakMap<Socket, Peer>();
  let named: readonly ClientRow[] = [];
  let era = 0;
  return {
    note: (socket, peer) => void peers.set(socket, peer),
    of: (socket) => peers.get(socket),
    distrust: () => void (era += 1),
    era: () => era,
    name: (clients) => (named = clients),
    clients: () => named,
  };
}

/** The account that the table names for the certificate. Refuses `auth.unknown_certificate`. */
export async function callerOf(
  { db, clock, peers }: { readonly db: Tx; readonly clock: Clock; readonly peers: PeerBook },
  peer: Peer,
): Promise<Caller> {
  if (peer.era !== peers.era()) {
    const { fingerprint, subject } = peer;
    const why = 'the authorities have changed since this connection was opened; open another';
    throw refuse('auth.unknown_certificate', why, { fingerprint, subject });
  }
  const client = clientFor(peers.clients(), peer);
  const isValid = peer.validToMs > clock.nowMs();
  const account = client && isValid ? await findAccountByEmail(db, client.account) : undefined;
  if (!client || !account) {
    const { fingerprint, subject } = peer;
    const why = isValid ? 'no account is named for this client certificate' : 'the client certificate has ended';
    throw refuse('auth.unknown_certificate', why, { fingerprint, subject });
  }
  const { id, email, region, roles, createdAt } = account;
  const via = { kind: 'certificate', fingerprint: peer.fingerprint } as const;
  return { account: id, email, region, roles: rolesOf(roles), scopes: client.scopes, createdAt, via };
}
