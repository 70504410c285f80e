import { generateKeyPairSync, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { rawPublicKey } from './certificate.ts';
import { withOpenssl, withSodium } from './ed25519.ts';
import { checkPacked, packChecks, type SignatureCheck } from './signature-batch.ts';
import { openSignaturePool } from './signature-pool.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = rawPublicKey(publicKey).toString('hex');
const signed = (message: string): SignatureCheck => ({
  publicKey: key,
  message,
  signature: sign(null, Buffer.from(message), privateKey).toString('hex'),
});

const checks: readonly (readonly [SignatureCheck, boolean])[] = [
  [signed('a message'), true],
  [signed(''), true],
  [signed('п 第 \u{1f600}\n\0'), true],
  [{ ...signed('a message'), message: 'a massage' }, false],
  [{ ...signed('a message'), signature: signed('b').signature }, false],
  [{ ...signed('a message'), signature: 'nonsense' }, false],
  [{ ...signed('a message'), signature: signed('a message').signature.toUpperCase() }, false],
  [{ ...signed('a message'), publicKey: '0'.repeat(64) }, false],
  [{ ...signed('a message'), publicKey: '' }, false],
  [signed('the last'), true],
];
const lists = checks.map(([check]) => check);
const expected = checks.map(([, holds]) => holds);

describe.each([
  ['OpenSSL', withOpenssl],
  ['libsodium', () => withSodium(createRequire(import.meta.url)('sodium-native') as Parameters<typeof withSodium>[0])],
])('%s', (_, open) => {
  test('holds good signatures good and others not, from one block of bytes', () => {
    expect([...checkPacked(packChecks(lists), open())].map((one) => one === 1)).toEqual(expected);
  });
});

test('threads give the same verdicts in order, to several callers at once', async () => {
  const pool = openSignaturePool(2);
  const many = Array.from({ length: 300 }, (_, index) => lists[index % lists.length]!);
  const [all, few, none] = await Promise.all([pool.check(many), pool.check(lists), pool.check([])]);
  expect(all).toEqual(many.map((_, index) => expected[index % expected.length]));
  expect([few, none]).toEqual([expected, []]);
  const last = pool.check(many).catch((error: unknown) => error);
  await new Promise<void>((resolve) => setImmediate(resolve));
  await pool.close();
  expect(await last).toMatchObject({ code: 'ledger.unavailable' });
});
