import { expect, test } from 'vitest';
import { authorityOf, memberUnder } from './blocks.setup.ts';
import { certificateIn, scopedKey, storableNumber, storableText } from './storable.ts';

test('organisations cannot use up each other’s keys', () => {
  expect(scopedKey('PlatformMSP', 'k')).toBe('k');
  const theirs = scopedKey('WorkerMSP', 'k');
  // The last two are what the tables call another organisation's key and a transaction without one.
  const others = ['k', scopedKey('OtherMSP', 'k'), scopedKey('WorkerMSP', 'l'), 'a'.repeat(64)];
  const posing = [theirs, 'a'.repeat(64)].map((key) => scopedKey('PlatformMSP', key));
  expect(new Set([theirs, ...others, ...posing]).size).toBe(7);
  expect(scopedKey('WorkerMSP', 'k')).toBe(theirs);
});

test.each(['a\0b', '\ud800', 'x'.repeat(301)])('what a column cannot hold becomes its hash: %j', (text) => {
  expect(storableText(text)).toMatch(/^[0-9a-f]{64}$/);
  expect(scopedKey('PlatformMSP', text)).toMatch(/^PlatformMSP\/[0-9a-f]{64}$/);
  expect(scopedKey(text, 'k')).toMatch(/^[0-9a-f]{64}\/[0-9a-f]{64}$/);
});

test.each([
  [-5, 0],
  [2 ** 63, Number.MAX_SAFE_INTEGER],
  [Number.NaN, 0],
  [1.9, 1],
])('the number nearest to %d is %d', (value, nearest) => {
  expect(storableNumber(value)).toBe(nearest);
});

const { certificate } = memberUnder(authorityOf('WorkerMSP'), 'client');
const mangled = certificate.replace('MII', 'MI!I');

test.each([
  ['as it is', certificate],
  ['after a description', `Certificate:\n${certificate}`],
  ['before anything', `${certificate}\0tail`],
  ['with other line ends', certificate.replaceAll('\n', '\r\n')],
  ['in one line', certificate.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, '')],
])('a certificate %s is one text', (_, identity) => {
  expect(certificateIn(identity)).toBe(certificate);
});

test.each([
  ['nothing', ''],
  ['another one after one that some could not read', `${mangled}${certificate}`],
  ['what some readers skip', ` -----BEGIN X-----${certificate}`],
  ['base64 with bits to spare', '-----BEGIN CERTIFICATE-----\nAB==\n-----END CERTIFICATE-----\n'],
  ['too much', `-----BEGIN CERTIFICATE-----\n${'A'.repeat(8192)}\n-----END CERTIFICATE-----\n`],
])('%s is no certificate', (_, identity) => {
  expect(certificateIn(identity)).toBeNull();
});
