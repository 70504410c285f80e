/**
 * Certificate authorities for a local network: P-256 certificates as Fabric's membership service reads them. Real
 * organisations use their own authority (fabric-ca or another), whose folders look the same.
 */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { encode, integer, oid, pemOf, sequence, tags } from '../der.ts';
import { signLowS } from './low-s.ts';

const oids = {
  organization: '2.5.4.10',
  unit: '2.5.4.11',
  commonName: '2.5.4.3',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectKey: '2.5.29.14',
  authorityKey: '2.5.29.35',
  alternativeNames: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  /** Where Fabric keeps a member's attributes, as JSON `{"attrs": {…}}`. */
  fabricAttributes: '1.2.3.4.5.6.7.8.1',
} as const;

/** A private key and its certificate, both PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

/** An authority: what it signs with and how it is called. */
export interface Authority extends KeyAndCertificate {
  readonly organization: string;
  readonly commonName: string;
}

export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The organisational units by which NodeOUs tell roles. */
export type NodeUnit = 'client' | 'peer' | 'admin' | 'orderer';

interface Subject {
  readonly organization: string;
  readonly unit: string | null;
  readonly commonName: string;
}

/** A new self-signed authority. */
export function newAuthority(organization: string, commonName: string, validity: Validity): Authority {
  const key = newKey();
  const subject = { organization, unit: null, commonName };
  const publicKey = createPublicKey(key);
  const certificate = issue({
    subject,
    issuer: subject,
    publicKey,
    signer: key,
    validity,
    extensions: [
      extension(oids.basicConstraints, sequence(encode(tags.boolean, Buffer.from([0xff])))),
      // Signs certificates and revocation lists.
      extension(oids.keyUsage, encode(tags.bits, Buffer.from([1, 0x06]))),
      extension(oids.subjectKey, encode(tags.bytes, keyId(publicKey)), false),
    ],
  });
  return { organization, commonName, key: pemOfKey(key), certificate };
}

export interface MemberRequest {
  readonly commonName: string;
  readonly unit: NodeUnit;
  /** Attributes that contracts read; none for nodes. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly validity: Validity;
}

/** A new member of the authority's organisation: it signs, and proves nothing to TLS. */
export function enrol(authority: Authority, { commonName, unit, attributes, validity }: MemberRequest) {
  const extensions = [digitalSignature()];
  if (attributes) {
    const bytes = Buffer.from(JSON.stringify({ attrs: attributes }));
    extensions.push(extension(oids.fabricAttributes, bytes, false));
  }
  return leaf(authority, { organization: authority.organization, unit, commonName }, validity, extensions);
}

/** A new TLS certificate for both ends of connections, by the names or addresses of `hosts`. */
export function enrolTls(authority: Authority, commonName: string, hosts: readonly string[], validity: Validity) {
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host) ? encode(0x87, Buffer.from(host.split('.').map(Number))) : encode(0x82, Buffer.from(host)),
  );
  const extensions = [
    digitalSignature(),
    extension(oids.extendedKeyUsage, sequence(oid(oids.serverAuth), oid(oids.clientAuth)), false),
    ...(names.length > 0 ? [extension(oids.alternativeNames, sequence(...names), false)] : []),
  ];
  return leaf(authority, { organization: authority.organization, unit: null, commonName }, validity, extensions);
}

function leaf(
  authority: Authority,
  subject: Subject,
  validity: Validity,
  extensions: readonly Buffer[],
): KeyAndCertificate {
  const key = newKey();
  const signer = createPrivateKey(authority.key);
  const authorityKey = sequence(encode(0x80, keyId(createPublicKey(signer))));
  const certificate = issue({
    subject,
    issuer: { organization: authority.organization, unit: null, commonName: authority.commonName },
    publicKey: createPublicKey(key),
    signer,
    validity,
    extensions: [
      extension(oids.basicConstraints, sequence()),
      ...extensions,
      extension(oids.authorityKey, authorityKey, false),
    ],
  });
  return { key: pemOfKey(key), certificate };
}

interface Issue {
  readonly subject: Subject;
  readonly issuer: Subject;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function issue({ subject, issuer, publicKey, signer, validity, extensions }: Issue): string {
  const algorithm = sequence(oid(oids.ecdsaSha256));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  // The key is fresh, so the serial number is.
  const serial = Buffer.concat([Buffer.from([1]), createHash('sha256').update(spki).digest().subarray(0, 15)]);
  const body = sequence(
    encode(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name(issuer),
    sequence(time(validity.fromMs), time(validity.toMs)),
    name(subject),
    spki,
    encode(0xa3, sequence(...extensions)),
  );
  const signature = encode(tags.bits, Buffer.from([0]), signLowS(body, signer));
  return pemOf('CERTIFICATE', sequence(body, algorithm, signature));
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

function pemOfKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** SHA-256 over the public point, as Fabric's own tools name keys. */
function keyId(key: KeyObject): Buffer {
  const point = key.export({ format: 'der', type: 'spki' }).subarray(-65);
  return createHash('sha256').update(point).digest();
}

function digitalSignature(): Buffer {
  return extension(oids.keyUsage, encode(tags.bits, Buffer.from([7, 0x80])));
}

function extension(id: string, value: Uint8Array, critical = true): Buffer {
  const flag = critical ? [encode(tags.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, encode(tags.bytes, value));
}

function part(id: string, text: string): Buffer {
  return encode(tags.set, sequence(oid(id), encode(tags.text, Buffer.from(text))));
}

function name({ organization, unit, commonName }: Subject): Buffer {
  const parts = [part(oids.organization, organization), part(oids.commonName, commonName)];
  if (unit !== null) parts.splice(1, 0, part(oids.unit, unit));
  return sequence(...parts);
}

/** Years from 2050 on do not fit UTCTime. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050'
    ? encode(tags.utcTime, Buffer.from(digits.slice(2)))
    : encode(tags.generalizedTime, Buffer.from(digits));
}
