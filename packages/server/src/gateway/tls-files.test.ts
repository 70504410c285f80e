import { chmod, mkdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '@assay/core';
import { clientFor, readClients } from './client-table.ts';
import { readClientFile, readTlsFiles, stampOf, type TlsPaths } from './tls-files.ts';
import {
  authority,
  clientTable,
  enrolled,
  fingerprintOf,
  future,
  past,
  tlsFolder,
  type TlsFolder,
} from './tls-scene.setup.ts';

const ca = authority('ca');
const own = enrolled(ca, 'gateway');
const hex = 'ab'.repeat(32);

describe('the files of the gateway', () => {
  let folder: TlsFolder;
  beforeEach(async () => {
    folder = await tlsFolder();
    await folder.write('certificate', own.certificate);
    await folder.write('key', own.key);
    await folder.write('authorities', ca.certificate);
    await folder.write('clients', clientTable({ fingerprint: hex, account: 'erp@example.org' }));
  });
  afterEach(() => folder.remove());
  const read = async () => {
    // Both at once, as the gateway opens with both.
    const [material] = await Promise.all([readTlsFiles(folder.paths, Date.now()), readClientFile(folder.paths)]);
    return material;
  };

  test('are read as they are, and have another stamp when one changes', async () => {
    const first = await read();
    expect(first).toMatchObject({ key: own.key, leftOut: [] });
    expect(await readClientFile(folder.paths)).toMatchObject([{ account: 'erp@example.org', scopes: ['ledger'] }]);
    expect(first.authorities).toHaveLength(1);
    const before = await stampOf(folder.paths);
    expect(await stampOf(folder.paths)).toBe(before);
    await folder.write('authorities', `${ca.certificate}\n${authority('other').certificate}`);
    const second = await read();
    expect(await stampOf(folder.paths)).not.toBe(before);
    expect(second.authorities).toHaveLength(2);
  });

  test('do without the authorities that are not valid now', async () => {
    const [old, coming] = [authority('old', past), authority('new', future)];
    await folder.write('authorities', `${old.certificate}\n${ca.certificate}\n${coming.certificate}`);
    const { authorities, leftOut, expiresMs } = await read();
    expect(authorities.map((one) => one.trim())).toEqual([ca.certificate.trim()]);
    expect(leftOut).toEqual([expect.stringContaining('ended'), expect.stringContaining('begins')]);
    expect(expiresMs).toBeGreaterThan(Date.now());
    await folder.write('authorities', `${old.certificate}\n${coming.certificate}`);
    await expect(read()).rejects.toMatchObject({ code: 'tls.expired' });
  });

  test.each(['certificate', 'key', 'authorities', 'clients'] as const)('refuse without the %s', async (file) => {
    await rm(folder.paths[file]);
    await expect(read()).rejects.toMatchObject({
      code: 'tls.unreadable',
      message: expect.stringContaining(`${folder.paths[file]} is not there`) as string,
    });
    await mkdir(folder.paths[file]);
    await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^tls\./) as string });
  });

  test.each<[keyof TlsPaths, number]>([
    ['key', 0o640],
    ['key', 0o604],
    ['clients', 0o664],
    ['clients', 0o646],
    ['certificate', 0o666],
    ['authorities', 0o622],
  ])('refuse a %s of mode %o', async (file, mode) => {
    await chmod(folder.paths[file], mode);
    await expect(read()).rejects.toMatchObject({ code: 'tls.key_unsafe' });
  });

  test.each<[string, keyof TlsPaths, () => string, string]>([
    ['no certificate', 'certificate', () => 'hello', 'tls.malformed'],
    ['half a certificate', 'certificate', () => own.certificate.slice(0, 300), 'tls.malformed'],
    ['a certificate of nonsense', 'certificate', () => pem('CERTIFICATE', 'AAAA'), 'tls.malformed'],
    ['a certificate that has ended', 'certificate', () => enrolled(ca, 'gateway', past).certificate, 'tls.malformed'],
    ['no key', 'key', () => own.certificate, 'tls.malformed'],
    ['an empty key', 'key', () => '', 'tls.malformed'],
    ['another key', 'key', () => enrolled(ca, 'gateway').key, 'tls.malformed'],
    ['no authority', 'authorities', () => '', 'tls.malformed'],
    ['an authority that has ended', 'authorities', () => authority('old', past).certificate, 'tls.expired'],
    ['an authority that has not begun', 'authorities', () => authority('new', future).certificate, 'tls.expired'],
    ['a table that is no JSON', 'clients', () => '{', 'tls.malformed'],
    ['a file that is too long', 'clients', () => ' '.repeat(limits.tlsFileBytes + 1), 'tls.malformed'],
  ])('refuse %s', async (_what, file, content, code) => {
    await folder.write(file, content());
    await expect(read()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(folder.paths[file]) as string,
    });
  });

  test('refuse a pair of key and certificate that has ended', async () => {
    const ended = enrolled(ca, 'gateway', past);
    await folder.write('certificate', ended.certificate);
    await folder.write('key', ended.key);
    await expect(read()).rejects.toMatchObject({ code: 'tls.expired' });
  });
});

function table(...clients: readonly unknown[]): string {
  return JSON.stringify({ clients });
}

function pem(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}

describe('the table of clients', () => {
  test('knows a client by fingerprint, however it is written, before one by subject', () => {
    const clients = readClients(
      clientTable(
        { subject: 'CN=erp,O=Example', account: 'all@example.org' },
        { fingerprint: fingerprintOf(own), account: 'one@example.org', scopes: ['ledger', 'metrics'] },
      ),
      'clients.json',
    );
    const fingerprint = fingerprintOf(own).replaceAll(':', '').toLowerCase();
    expect(clientFor(clients, { fingerprint, subject: 'CN=erp,O=Example' })?.account).toBe('one@example.org');
    expect(clientFor(clients, { fingerprint: hex, subject: 'CN=erp,O=Example' })?.account).toBe('all@example.org');
    expect(clientFor(clients, { fingerprint: hex, subject: 'CN=erp,O=Example,OU=x' })).toBeUndefined();
  });

  test.each<[string, string]>([
    ['null', 'null'],
    ['a list', '[]'],
    ['no clients', '{}'],
    ['another key', '{"clients": [], "note": 1}'],
    ['clients that are no list', '{"clients": {}}'],
    ['a client that is null', table(null)],
    ['a client without an account', table({ fingerprint: hex })],
    ['an account that is no address', table({ fingerprint: hex, account: 'erp' })],
    ['neither fingerprint nor subject', table({ account: 'a@b.c' })],
    ['both', table({ account: 'a@b.c', fingerprint: hex, subject: 'CN=a' })],
    ['a short fingerprint', table({ account: 'a@b.c', fingerprint: 'ab' })],
    ['a fingerprint that is a number', table({ account: 'a@b.c', fingerprint: 7 })],
    ['a subject without a type', table({ account: 'a@b.c', subject: 'erp' })],
    ['a subject of two lines', table({ account: 'a@b.c', subject: 'CN=erp\nO=x' })],
    ['an unknown scope', table({ account: 'a@b.c', fingerprint: hex, scopes: ['everything'] })],
    ['no scopes', table({ account: 'a@b.c', fingerprint: hex, scopes: [] })],
    ['an unknown member', table({ account: 'a@b.c', fingerprint: hex, role: 'operator' })],
    ['one fingerprint twice', table({ account: 'a@b.c', fingerprint: hex }, { account: 'd@e.f', fingerprint: hex })],
    ['too many', table(...Array.from({ length: limits.tlsClients + 1 }, () => ({})))],
  ])('refuses %s', (_what, text) => {
    expect(() => readClients(text, 'clients.json')).toThrow(
      expect.objectContaining({ code: 'tls.malformed' }) as Error,
    );
  });
});
