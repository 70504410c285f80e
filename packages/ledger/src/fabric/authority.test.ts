import { X509Certificate, createPrivateKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { enrol, enrolTls, newAuthority } from './authority.ts';
import { signLowS } from './low-s.ts';

const validity = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2051, 0, 1) };
const authority = newAuthority('PlatformMSP', 'ca.platform', validity);

test('an authority is one and signs its members', () => {
  const ca = new X509Certificate(authority.certificate);
  expect([ca.ca, ca.verify(ca.publicKey), ca.validFrom, ca.validTo]).toEqual([
    true,
    true,
    'Jan  1 00:00:00 2026 GMT',
    'Jan  1 00:00:00 2051 GMT',
  ]);
  const attributes = { 'assay.orchestrator': 'true' };
  const member = enrol(authority, { commonName: 'orchestrator', unit: 'client', attributes, validity });
  const certificate = new X509Certificate(member.certificate);
  expect(certificate.subject).toBe('O=PlatformMSP\nOU=client\nCN=orchestrator');
  expect([certificate.ca, certificate.checkIssued(ca), certificate.verify(ca.publicKey)]).toEqual([false, true, true]);
  expect(certificate.checkPrivateKey(createPrivateKey(member.key))).toBe(true);
  expect(certificate.raw.includes(JSON.stringify({ attrs: attributes }))).toBe(true);
});

test('a TLS certificate holds for its hosts', () => {
  const { certificate } = enrolTls(authority, 'peer0', ['localhost', '127.0.0.1'], validity);
  const tls = new X509Certificate(certificate);
  expect([tls.checkHost('localhost'), tls.checkIP('127.0.0.1'), tls.checkHost('example.org')]).toEqual([
    'localhost',
    '127.0.0.1',
    undefined,
  ]);
});

test('signatures have the lower S and verify', () => {
  const key = createPrivateKey(authority.key);
  const { publicKey } = new X509Certificate(authority.certificate);
  for (let round = 0; round < 64; round += 1) {
    const message = Buffer.from(`message ${round}`);
    const signature = signLowS(message, key);
    expect(verify('sha256', message, publicKey, signature)).toBe(true);
    const s = signature.subarray(6 + (signature[3] ?? 0)).toString('hex');
    expect(BigInt(`0x${s}`) <= 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n).toBe(true);
  }
});
