/**
 * X.509 certificates for the embedded organisations. Node reads certificates but makes none; the part of DER that these
 * need is smaller than the packages that offer it.
 */

import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { encode, oid, pemOf, sequence, tags } from './der.ts';

/** The extension in which Fabric keeps a member's attributes, as JSON `{"attrs": {…}}`. */
const fabricAttributes = '1.2.3.4.5.6.7.8.1';
const oids = {
  organization: '2.5.4.10',
  unit: '2.5.4.11',
  commonName: '2.5.4.3',
  ed25519: '1.3.101.112',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
} as const;

/** Certificates hold from the day below for thirty years: the embedded ledger replaces identities, not certificates. */
const validity = ['260101000000Z', '491231235959Z'] as const;

export interface CertificateRequest {
  readonly organization: string;
  readonly unit: string;
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly organization: string; readonly commonName: string; readonly privateKey: KeyObject };
  /** Null for an authority's own certificate. */
  readonly attributes: Readonly<Record<string, string>> | null;
}

/** An ed25519 private key from 32 secret bytes. */
export function ed25519FromSeed(seed: Uint8Array): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of an ed25519 public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** The certificate as PEM. The same request gives the same bytes, because ed25519 signs without randomness. */
export function issueCertificate(request: CertificateRequest): string {
  const { issuer, publicKey, attributes } = request;
  const algorithm = sequence(oid(oids.ed25519));
  const subject = name(request.organization, request.unit, request.commonName);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const serial = createHash('sha256')
    .update(subject)
    .update(spki)
    .update(JSON.stringify(attributes))
    .digest()
    .subarray(0, 16);
  const body = sequence(
    encode(0xa0, encode(tags.integer, Buffer.from([2]))),
    encode(tags.integer, Buffer.concat([Buffer.from([1]), serial])),
    algorithm,
    name(issuer.organization, 'authority', issuer.commonName),
    sequence(...validity.map((time) => encode(tags.utcTime, Buffer.from(time)))),
    subject,
    spki,
    encode(0xa3, sequence(...(attributes === null ? authorityExtensions() : memberExtensions(attributes)))),
  );
  const signature = encode(tags.bits, Buffer.concat([Buffer.from([0]), sign(null, body, issuer.privateKey)]));
  return pemOf('CERTIFICATE', sequence(body, algorithm, signature));
}

function authorityExtensions(): Buffer[] {
  const isAuthority = sequence(encode(tags.boolean, Buffer.from([0xff])));
  return [
    extension(oids.basicConstraints, isAuthority),
    extension(oids.keyUsage, encode(tags.bits, Buffer.from([1, 0x06]))),
  ];
}

function memberExtensions(attributes: Readonly<Record<string, string>>): Buffer[] {
  return [
    extension(oids.keyUsage, encode(tags.bits, Buffer.from([7, 0x80]))),
    extension(fabricAttributes, Buffer.from(JSON.stringify({ attrs: attributes })), false),
  ];
}

function extension(id: string, value: Buffer, critical = true): Buffer {
  const flag = critical ? [encode(tags.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, encode(tags.bytes, value));
}

function part(id: string, text: string): Buffer {
  return encode(tags.set, sequence(oid(id), encode(tags.text, Buffer.from(text))));
}

function name(organization: string, unit: string, commonName: string): Buffer {
  return sequence(part(oids.organization, organization), part(oids.unit, unit), part(oids.commonName, commonName));
}
