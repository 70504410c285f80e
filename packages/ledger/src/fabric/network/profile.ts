/** How clients find a network: peers to connect to, whom to believe, and where the keys lie. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { refuse } from '@assay/core';
import { replaceSecret } from './folders.ts';
import type { Site } from './provision.ts';
import { chaincodeName, loopback } from './topology.ts';

/** A peer whose gateway clients may use. */
export interface ProfilePeer {
  readonly mspId: string;
  /** `host:port`. */
  readonly address: string;
  /** File of the TLS authority (PEM). */
  readonly tlsAuthority: string;
}

/** What stands in `connection.json`; paths of files begin at its own folder. */
export interface ConnectionProfile {
  readonly version: 1;
  readonly chaincode: string;
  /** Members of each channel. */
  readonly channels: Readonly<Record<string, readonly string[]>>;
  /** In the order in which they are tried. */
  readonly peers: readonly ProfilePeer[];
  /** The client's own TLS key and certificate. */
  readonly clientTls: Readonly<{ key: string; certificate: string }>;
  /**
   * Where identities come from: a wallet of issued ones (`<msp>/<name>/cert.pem`, `key.pem`), and for local networks the
   * authorities that issue what the wallet lacks.
   */
  readonly wallet: string;
  readonly authorities?: Readonly<Record<string, Readonly<{ key: string; certificate: string }>>>;
}

/** `withAuthorities`: clients may issue themselves what the wallet lacks, with the authorities' own keys. */
export async function writeProfile({ folders, topology }: Site, options: { readonly withAuthorities: boolean }) {
  const own = topology.peers.map(({ mspId }) => [mspId, folders.organization(mspId).authority] as const);
  const profile: ConnectionProfile = {
    version: 1,
    chaincode: chaincodeName,
    channels: topology.channels,
    peers: topology.peers.map(({ mspId, host, port }) => ({
      mspId,
      // Node frowns on addresses as names of TLS servers.
      address: `${host === loopback ? 'localhost' : host}:${port}`,
      tlsAuthority: folders.trust(mspId),
    })),
    clientTls: folders.organization(topology.peers[0]?.mspId ?? '').client,
    wallet: folders.wallet,
    ...(options.withAuthorities ? { authorities: Object.fromEntries(own) } : {}),
  };
  await replaceSecret(folders.profile, JSON.stringify(profile, null, 2));
}

/** Reads a profile; refuses `config.invalid` where it is none. */
export async function readProfile(path: string): Promise<ConnectionProfile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw refuse('config.invalid', `${path} cannot be read: start a network with ./assay fabric up (${String(error)})`);
  });
  const profile = JSON.parse(text) as Partial<ConnectionProfile>;
  const { peers, channels, clientTls, wallet } = profile;
  if (profile.version !== 1 || !peers?.length || !channels || !clientTls || wallet === undefined) {
    throw refuse('config.invalid', `${path} is no connection profile of this version`);
  }
  const at = (file: string): string => resolve(dirname(path), file);
  const own = Object.entries(profile.authorities ?? {}).map(
    ([mspId, { key, certificate }]) => [mspId, { key: at(key), certificate: at(certificate) }] as const,
  );
  return {
    version: 1,
    chaincode: profile.chaincode ?? chaincodeName,
    channels,
    peers: peers.map((peer) => ({ ...peer, tlsAuthority: at(peer.tlsAuthority) })),
    clientTls: { key: at(clientTls.key), certificate: at(clientTls.certificate) },
    wallet: at(wallet),
    ...(profile.authorities ? { authorities: Object.fromEntries(own) } : {}),
  };
}
