/** Where things lie in the folder of a network. Secrets are readable by their owner only. */

import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface NodeFolders {
  readonly home: string;
  /** What the node writes. */
  readonly data: string;
  readonly msp: string;
  readonly tls: TlsFiles;
  readonly log: string;
}

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

function tlsIn(folder: string): TlsFiles {
  return { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

/** Paths below `root`; nodes may write their data elsewhere, where what they are given is not to be written to. */
export function foldersOf(root: string, dataOf = (name: string): string => join(root, 'nodes', name, 'data')) {
  const organization = (mspId: string): string => join(root, 'organizations', mspId);
  return {
    root,
    network: join(root, 'network.json'),
    profile: join(root, 'connection.json'),
    wallet: join(root, 'wallet'),
    lock: join(root, 'lock'),
    builder: join(root, 'builder'),
    /** Each organisation's TLS authority (a certificate), for everybody. */
    trust: (mspId: string): string => join(root, 'trust', `${mspId}.pem`),
    channel: (name: string): string => join(root, 'channels', `${name}.block`),
    collections: (name: string): string => join(root, 'channels', `${name}.collections.json`),
    organization: (mspId: string) => ({
      home: organization(mspId),
      msp: join(organization(mspId), 'msp'),
      authority: tlsIn(join(organization(mspId), 'ca')),
      tlsAuthority: tlsIn(join(organization(mspId), 'tls-ca')),
      admin: { msp: join(organization(mspId), 'admin', 'msp'), tls: tlsIn(join(organization(mspId), 'admin', 'tls')) },
      client: tlsIn(join(organization(mspId), 'client-tls')),
      /** With fabric-ca: where trust begins, and the secrets of whoever registers members. */
      registrar: join(organization(mspId), 'registrar.json'),
      /** With fabric-ca: what is needed until everybody is enrolled. */
      enrolling: join(organization(mspId), 'enrolling'),
      contractsKeys: join(organization(mspId), 'contracts', 'keys.json'),
      contractsPackage: join(organization(mspId), 'contracts', 'package.tar.gz'),
    }),
    node: (name: string): NodeFolders => ({
      home: join(root, 'nodes', name),
      data: dataOf(name),
      msp: join(root, 'nodes', name, 'msp'),
      tls: tlsIn(join(root, 'nodes', name, 'tls')),
      log: join(root, 'nodes', name, 'log'),
    }),
    /** Whom a contract server believes. */
    contractsAuthority: (name: string): string => join(root, 'nodes', name, 'ca.pem'),
    pid: (name: string): string => join(root, 'nodes', name, 'pid'),
  };
}

export type Folders = ReturnType<typeof foldersOf>;

/** Writes a file that only its owner may read, with its folders. */
export async function writeSecret(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

/** The same for what is no secret, and for programs. */
export async function writeOpen(path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode });
  // The umask may have taken the right to run it.
  if (mode !== 0o644) await chmod(path, mode);
}

/** Replaces a file as a whole: whoever reads it sees the old or the new text. */
export async function replaceSecret(path: string, text: string): Promise<void> {
  await writeSecret(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
