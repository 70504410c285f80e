/** Who makes the keys and certificates of an organisation: the network itself, or the organisation's own fabric-ca. */

import {
  enrol,
  enrolTls,
  newAuthority,
  type KeyAndCertificate,
  type MemberRequest,
  type NodeUnit,
  type Validity,
} from '../authority.ts';
import { writeOpen, writeSecret, type Folders, type TlsFiles } from './folders.ts';

export type Enrolment = Pick<MemberRequest, 'commonName' | 'unit' | 'attributes'>;

export interface Issuer {
  readonly mspId: string;
  /** Certificates (PEM) of the authority of members and of the one of TLS. */
  readonly members: string;
  readonly tls: string;
  /** A key and a certificate that say in which role their holder acts. */
  enrol(request: Enrolment): Promise<KeyAndCertificate>;
  /** The same for both ends of TLS connections, by the names or addresses of `hosts`. */
  enrolTls(commonName: string, unit: NodeUnit, hosts: readonly string[]): Promise<KeyAndCertificate>;
  /** To be called when nothing more is wanted of it. */
  close(): Promise<void>;
}

/** An authority of this network's own, whose keys lie in its folder. */
export async function ownIssuer(folders: Folders, mspId: string, validity: Validity): Promise<Issuer> {
  const files = folders.organization(mspId);
  const members = newAuthority(mspId, `ca.${mspId}`, validity);
  const tls = newAuthority(mspId, `tls-ca.${mspId}`, validity);
  await writePair(files.authority, members);
  await writePair(files.tlsAuthority, tls);
  return {
    mspId,
    members: members.certificate,
    tls: tls.certificate,
    enrol: async (request) => enrol(members, { ...request, validity }),
    enrolTls: async (commonName, _unit, hosts) => enrolTls(tls, commonName, hosts, validity),
    close: async () => undefined,
  };
}

export async function writePair(files: TlsFiles, pair: KeyAndCertificate): Promise<void> {
  await writeOpen(files.certificate, pair.certificate);
  await writeSecret(files.key, pair.key);
}
