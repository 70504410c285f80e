/** Who signs on Fabric: identities that an organisation's authority issued, or that a local network issues itself. */

import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { limits, refuse, type Clock, type LedgerIdentity } from '@assay/core';
import type { Member } from '../keys.ts';
import { enrol, type Authority } from './authority.ts';
import type { ConnectionProfile } from './network/profile.ts';

/** A member with the key that signs for it. */
export interface FabricMember extends Member {
  readonly key: KeyObject;
}

export interface Wallet {
  /**
   * The identity: `<msp>/<name>/{cert,key}.pem` where an authority issued one, else one that a local network's
   * authority issues with the wanted roles and that is kept. Refuses `config.invalid` where neither is there.
   */
  member(identity: LedgerIdentity): Promise<FabricMember>;
}

const day = 86_400_000;
const validDays = 365;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const rolePattern = /^[a-z]{1,32}$/;

export function openWallet(profile: Pick<ConnectionProfile, 'wallet' | 'authorities'>, clock: Clock): Wallet {
  const known = new Map<string, { readonly member: FabricMember; readonly untilMs: number }>();
  return {
    async member(identity) {
      const id = JSON.stringify([identity.mspId, identity.name, identity.roles]);
      const cached = known.get(id);
      if (cached && clock.nowMs() < cached.untilMs) return cached.member;
      const member = (await issued(profile.wallet, identity)) ?? (await own(profile, identity, clock));
      // Near its end somebody may put another one there any time.
      const untilMs = Math.max(renewalMs(member.certificate), clock.nowMs() + limits.fabricWalletMs);
      known.set(id, { member, untilMs });
      return member;
    },
  };
}

/** From when on the wallet is asked again: while a third of its time is left, as for what is issued here. */
function renewalMs(certificate: string): number {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const endMs = Date.parse(validTo);
  return endMs - (endMs - Date.parse(validFrom)) / 3;
}

async function issued(wallet: string, { mspId, name }: LedgerIdentity): Promise<FabricMember | undefined> {
  if (![mspId, name].every((part) => namePattern.test(part))) {
    throw refuse('request.malformed', 'a ledger name has 1 to 64 plain characters');
  }
  const folder = join(wallet, mspId, name);
  const [certificate, key] = await Promise.all([
    readIfThere(join(folder, 'cert.pem')),
    readIfThere(join(folder, 'key.pem')),
  ]);
  return certificate === undefined || key === undefined ? undefined : memberOf(mspId, certificate, key);
}

function memberOf(mspId: string, certificate: string, key: string): FabricMember {
  const privateKey = createPrivateKey(key);
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey)) {
    throw refuse('config.invalid', `a certificate of ${mspId} and its key do not belong together`);
  }
  const fingerprint = createHash('sha256').update(certificate).digest('hex');
  return { mspId, certificate, fingerprint, key: privateKey };
}

/** Kept, so that the same member has the same certificate after a restart; renewed before it ends. */
async function own(
  { wallet, authorities }: Pick<ConnectionProfile, 'wallet' | 'authorities'>,
  { mspId, name, roles }: LedgerIdentity,
  clock: Clock,
): Promise<FabricMember> {
  if (roles.some((role) => !rolePattern.test(role))) throw refuse('request.malformed', 'a role is a lower-case word');
  const held = [...new Set(roles)].toSorted();
  const path = join(wallet, mspId, name, 'issued', `${['with', ...held].join('-')}.pem`);
  const kept = await readIfThere(path);
  if (kept !== undefined) {
    const { key, certificate } = parted(kept);
    if (clock.nowMs() < renewalMs(certificate)) return memberOf(mspId, certificate, key);
  }
  const place = authorities?.[mspId];
  if (!place) throw refuse('config.invalid', `${join(wallet, mspId, name)} has no cert.pem and key.pem`);
  const authority: Authority = {
    organization: mspId,
    commonName: `ca.${mspId}`,
    key: await readFile(place.key, 'utf8'),
    certificate: await readFile(place.certificate, 'utf8'),
  };
  const nowMs = clock.nowMs();
  const { key, certificate } = enrol(authority, {
    commonName: name,
    unit: 'client',
    attributes: Object.fromEntries([
      ['hf.EnrollmentID', name] as const,
      ...held.map((role) => [`assay.${role}`, 'true'] as const),
    ]),
    validity: { fromMs: nowMs - 3_600_000, toMs: nowMs + validDays * day },
  });
  const winner = parted(await keep(path, `${key}${certificate}`, kept !== undefined));
  return memberOf(mspId, winner.certificate, winner.key);
}

/** One file holds both, so that they change together; of two programs that issue at once, one wins. */
async function keep(path: string, text: string, isRenewal: boolean): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    if (isRenewal) await rename(draft, path);
    else await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

function parted(text: string): { key: string; certificate: string } {
  const cut = text.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: text.slice(0, cut), certificate: text.slice(cut) };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
