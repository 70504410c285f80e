import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enrol, newAuthority } from './authority.ts';
import { openWallet } from './wallet.ts';

const startMs = Date.UTC(2026, 10, 21);
const day = 86_400_000;
const validity = { fromMs: startMs - day, toMs: startMs + 2000 * day };
const authority = newAuthority('PlatformMSP', 'ca.PlatformMSP', validity);
const identity = { mspId: 'PlatformMSP', name: 'orchestrator', roles: ['orchestrator'] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-wallet-'));
  await writeFile(join(folder, 'ca.key'), authority.key);
  await writeFile(join(folder, 'ca.pem'), authority.certificate);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const profile = () => ({
  wallet: join(folder, 'wallet'),
  authorities: { PlatformMSP: { key: join(folder, 'ca.key'), certificate: join(folder, 'ca.pem') } },
});
const wallet = (nowMs = startMs) => openWallet(profile(), { nowMs: () => nowMs });

test('issues an identity once and keeps it, for its owner only, until it grows old', async () => {
  const [one, two] = await Promise.all([wallet().member(identity), wallet().member(identity)]);
  expect(one.fingerprint).toBe(two.fingerprint);
  expect((await wallet(startMs + 200 * day).member(identity)).fingerprint).toBe(one.fingerprint);
  const path = join(folder, 'wallet', 'PlatformMSP', 'orchestrator', 'issued', 'with-orchestrator.pem');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const renewed = await wallet(startMs + 300 * day).member(identity);
  expect(renewed.fingerprint).not.toBe(one.fingerprint);
  expect((await wallet(startMs + 301 * day).member(identity)).fingerprint).toBe(renewed.fingerprint);
});

test('what a running server holds is renewed too, and what an authority issued anew is taken', async () => {
  let nowMs = startMs;
  const running = openWallet(profile(), { nowMs: () => nowMs });
  const first = await running.member(identity);
  nowMs += 200 * day;
  expect(await running.member(identity)).toBe(first);
  nowMs += 100 * day;
  expect((await running.member(identity)).fingerprint).not.toBe(first.fingerprint);
  const place = join(folder, 'wallet', 'PlatformMSP', 'given');
  await mkdir(place, { recursive: true });
  const give = async (toMs: number): Promise<string> => {
    const given = enrol(authority, { commonName: 'given', unit: 'client', validity: { fromMs: startMs, toMs } });
    await writeFile(join(place, 'cert.pem'), given.certificate);
    await writeFile(join(place, 'key.pem'), given.key);
    return given.certificate;
  };
  const other = { ...identity, name: 'given' };
  const old = await give(nowMs + day);
  expect((await running.member(other)).certificate).toBe(old);
  const renewed = await give(nowMs + 365 * day);
  expect((await running.member(other)).certificate).toBe(old);
  nowMs += 60_000;
  expect((await running.member(other)).certificate).toBe(renewed);
});

test('other roles are another certificate', async () => {
  const plain = await wallet().member({ ...identity, roles: [] });
  expect(plain.fingerprint).not.toBe((await wallet().member(identity)).fingerprint);
});

test('takes what an authority issued before it issues anything', async () => {
  const given = enrol(authority, { commonName: 'orchestrator', unit: 'client', validity });
  const place = join(folder, 'wallet', 'PlatformMSP', 'orchestrator');
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'cert.pem'), given.certificate);
  await writeFile(join(place, 'key.pem'), given.key);
  expect((await wallet().member(identity)).certificate).toBe(given.certificate);
  await writeFile(join(place, 'key.pem'), authority.key);
  await expect(wallet().member(identity)).rejects.toMatchObject({ code: 'config.invalid' });
});

test.each([
  [{ ...identity, mspId: 'OtherMSP' }, 'config.invalid'],
  [{ ...identity, mspId: '../..' }, 'request.malformed'],
  [{ ...identity, name: 'a/b' }, 'request.malformed'],
  [{ ...identity, roles: ['A b'] }, 'request.malformed'],
])('refuses %j', async (wanted, code) => {
  await expect(wallet().member(wanted)).rejects.toMatchObject({ code });
});
