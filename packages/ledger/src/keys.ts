/** The ledger's secret: one seed, from which its signing key and the keys of its organisations derive. */

import { createHash, createPublicKey, hkdfSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { limits, refuse, type LedgerIdentity } from '@assay/core';
import { ed25519FromSeed, issueCertificate, rawPublicKey } from './certificate.ts';

/** What a member of an organisation is known by on the ledger. */
export interface Member {
  readonly mspId: string;
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the PEM, hex. */
  readonly fingerprint: string;
}

/** A member whose key is at hand. */
export interface Signer extends Member {
  /** The ed25519 signature over the UTF-8 of `text`, hex. */
  sign(text: string): string;
}

export interface LedgerKey {
  readonly privateKey: KeyObject;
  /** The 32 bytes of the ed25519 public key, hex. */
  readonly publicKey: string;
  /** The certificate of an organisation's authority, PEM. */
  authority(mspId: string): string;
  /** A member whose key derives from the seed; refuses `request.malformed` for names that a certificate cannot carry. */
  member(identity: LedgerIdentity): Signer;
  /** The certificate of a member who made an ed25519 key elsewhere and keeps it. */
  enrol(identity: LedgerIdentity, publicKey: KeyObject): Member;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const rolePattern = /^[a-z]{1,32}$/;

/** The key that 32 secret bytes give; the same on every server that has them. */
export function ledgerKeyFromSeed(seed: Uint8Array): LedgerKey {
  if (seed.length !== 32) throw refuse('config.invalid', 'a ledger key is 32 bytes');
  const derive = (purpose: string): KeyObject =>
    ed25519FromSeed(new Uint8Array(hkdfSync('sha256', seed, 'assay/ledger/1', purpose, 32)));
  const privateKey = derive('blocks');
  const members = new Map<string, Signer>();
  return {
    privateKey,
    publicKey: rawPublicKey(privateKey).toString('hex'),
    authority: (mspId) => authorityCertificate(mspId, derive(`authority\n${checkName(mspId)}`)),
    member(identity) {
      const id = JSON.stringify([identity.mspId, identity.name, identity.roles]);
      const member = members.get(id) ?? signerOf(identity, derive);
      if (members.size >= limits.ledgerCertificates) members.clear();
      members.set(id, member);
      return member;
    },
    enrol: (identity, holder) => memberOf(identity, holder, derive),
  };
}

/** Reads the seed from `path` (64 hex digits), which it makes, readable by its owner only, when it is not there. */
export async function loadLedgerKey(path: string): Promise<LedgerKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const text = (await readIfThere(path)) ?? (await createSeed(path));
  if (!/^[0-9a-f]{64}\n?$/.test(text))
    throw refuse('config.invalid', 'the ledger key file does not hold 64 hex digits');
  return ledgerKeyFromSeed(Buffer.from(text.trim(), 'hex'));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a whole file and links it into place: of two programs that start at once, one key wins. */
async function createSeed(path: string): Promise<string> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft);
  }
  return readFile(path, 'utf8');
}

type Derive = (purpose: string) => KeyObject;

function signerOf(identity: LedgerIdentity, derive: Derive): Signer {
  const { mspId, name } = identity;
  const privateKey = derive(`member\n${mspId}\n${name}\n${heldRoles(identity).join(',')}`);
  const member = memberOf(identity, createPublicKey(privateKey), derive);
  return { ...member, sign: (text) => sign(null, Buffer.from(text), privateKey).toString('hex') };
}

function heldRoles({ roles }: LedgerIdentity): string[] {
  if (roles.some((role) => !rolePattern.test(role))) throw refuse('request.malformed', 'a role is a lower-case word');
  return [...new Set(roles)].toSorted();
}

function memberOf(identity: LedgerIdentity, publicKey: KeyObject, derive: Derive): Member {
  const { mspId, name } = identity;
  checkName(mspId);
  checkName(name);
  const held = heldRoles(identity);
  const attributes = Object.fromEntries([
    ['hf.EnrollmentID', name] as const,
    ...held.map((role) => [`assay.${role}`, 'true'] as const),
  ]);
  const certificate = issueCertificate({
    organization: mspId,
    unit: 'client',
    commonName: name,
    publicKey,
    issuer: { organization: mspId, commonName: `ca.${mspId}`, privateKey: derive(`authority\n${mspId}`) },
    attributes,
  });
  return { mspId, certificate, fingerprint: createHash('sha256').update(certificate).digest('hex') };
}

function authorityCertificate(mspId: string, privateKey: KeyObject): string {
  return issueCertificate({
    organization: mspId,
    unit: 'authority',
    commonName: `ca.${mspId}`,
    publicKey: createPublicKey(privateKey),
    issuer: { organization: mspId, commonName: `ca.${mspId}`, privateKey },
    attributes: null,
  });
}

function checkName(name: string): string {
  if (!namePattern.test(name)) throw refuse('request.malformed', 'a ledger name has 1 to 64 plain characters');
  return name;
}
