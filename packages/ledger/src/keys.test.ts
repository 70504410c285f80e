import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, stat, writeFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '@assay/core';
import { expect, test } from 'vitest';
import { ledgerKeyFromSeed, loadLedgerKey } from './keys.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(7));

test('one seed gives one key and the same certificates on every server', () => {
  const again = ledgerKeyFromSeed(new Uint8Array(32).fill(7));
  const identity = { mspId: 'PlatformMSP', name: 'orchestrator', roles: ['orchestrator', 'arbiter'] };
  expect(again.publicKey).toBe(key.publicKey);
  expect(again.authority('PlatformMSP')).toBe(key.authority('PlatformMSP'));
  const { sign, ...member } = key.member(identity);
  expect(again.member(identity)).toMatchObject(member);
  expect(again.member(identity).sign('text')).toBe(sign('text'));
  expect(again.member({ ...identity, roles: ['arbiter', 'orchestrator', 'arbiter'] })).toMatchObject(member);
  expect(ledgerKeyFromSeed(new Uint8Array(32)).publicKey).not.toBe(key.publicKey);
});

test('certificates are X.509, issued by their organisation’s authority only', () => {
  const { certificate, fingerprint } = key.member({ mspId: 'WorkerMSP', name: 'wrk_1', roles: ['worker'] });
  const member = new X509Certificate(certificate);
  const authority = new X509Certificate(key.authority('WorkerMSP'));
  const stranger = new X509Certificate(key.authority('PlatformMSP'));
  expect(member.subject).toBe('O=WorkerMSP\nOU=client\nCN=wrk_1');
  expect(member.issuer).toBe('O=WorkerMSP\nOU=authority\nCN=ca.WorkerMSP');
  expect([member.checkIssued(authority), member.verify(authority.publicKey), member.ca]).toEqual([true, true, false]);
  expect([authority.ca, authority.verify(authority.publicKey)]).toEqual([true, true]);
  expect([member.checkIssued(stranger), member.verify(stranger.publicKey)]).toEqual([false, false]);
  expect(member.raw.toString('latin1')).toContain('{"attrs":{"hf.EnrollmentID":"wrk_1","assay.worker":"true"}}');
  expect(fingerprint).toBe(createHash('sha256').update(certificate).digest('hex'));
  const long = key.member({ mspId: 'M'.repeat(64), name: 'n'.repeat(64), roles: ['a'.repeat(32), 'b'.repeat(32)] });
  expect(new X509Certificate(long.certificate).subject).toContain('n'.repeat(64));
});

test.each([
  [{ mspId: '', name: 'a', roles: [] }],
  [{ mspId: 'M', name: 'a b', roles: [] }],
  [{ mspId: 'M', name: 'n'.repeat(65), roles: [] }],
  [{ mspId: 'M', name: 'a', roles: ['Admin'] }],
  [{ mspId: 'M', name: 'a', roles: ['a"b'] }],
])('no certificate is made for %j', (identity) => {
  expect(() => key.member(identity)).toThrow(Refusal);
});

test('the key file is made once, for its owner only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-ledger-key-'));
  const path = join(folder, 'deep', 'ledger.key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadLedgerKey(path)));
  expect(new Set(keys.map((one) => one.publicKey)).size).toBe(1);
  expect((await loadLedgerKey(path)).publicKey).toBe(keys[0]?.publicKey);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(await readdir(join(folder, 'deep'))).toEqual(['ledger.key']);
  await writeFile(path, 'not a key');
  await expect(loadLedgerKey(path)).rejects.toThrow(Refusal);
  expect(() => ledgerKeyFromSeed(new Uint8Array(31))).toThrow(Refusal);
});
