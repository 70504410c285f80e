import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { contractsPackage } from './contracts-package.ts';

const server = {
  address: '127.0.0.1:9999',
  rootCertificate: 'root',
  clientKey: 'key',
  clientCertificate: 'certificate',
};

function name(tar: Buffer, at: number): string {
  return tar.toString('utf8', at, tar.indexOf(0, at));
}

function size(tar: Buffer, at: number): number {
  return Number.parseInt(tar.toString('utf8', at + 124, at + 135), 8);
}

test('the same server gives the same package, another one another', () => {
  const { id, bytes } = contractsPackage(server);
  expect(contractsPackage(server)).toEqual({ id, bytes });
  expect(id).toMatch(/^assay_1:[0-9a-f]{64}$/);
  expect(contractsPackage({ ...server, address: '127.0.0.1:9998' }).id).not.toBe(id);
});

test('it is a tar of code and metadata, and the code holds the connection', () => {
  const outer = gunzipSync(contractsPackage(server).bytes);
  expect(name(outer, 0)).toBe('code.tar.gz');
  const code = gunzipSync(outer.subarray(512, 512 + size(outer, 0)));
  expect(name(code, 0)).toBe('connection.json');
  expect(JSON.parse(code.toString('utf8', 512, 512 + size(code, 0)))).toMatchObject({
    address: server.address,
    tls_required: true,
    client_auth_required: true,
  });
  const next = 512 + Math.ceil(size(outer, 0) / 512) * 512;
  expect(name(outer, next)).toBe('metadata.json');
});
