import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { enrolTls, newAuthority } from '../authority.ts';
import { answerOf } from './health.ts';

const validity = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 3_600_000 };
const authority = newAuthority('OrdererMSP', 'tls', validity);
const { key, certificate: cert } = enrolTls(authority, 'orderer1', ['localhost'], validity);

test('a whole answer counts, and one that breaks off or does not come is told', { timeout: 10_000 }, async () => {
  const server = createServer({ key, cert }, ({ url }, response) => {
    if (url === '/silent') return;
    if (url === '/ill') response.writeHead(503);
    if (url !== '/broken') return void response.end('{}');
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => response.destroy());
  });
  onTestFinished(() => server.closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, ca = authority.certificate) => answerOf({ host: 'localhost', port, path, ca });
  expect(await Promise.all([ask('/well'), ask('/ill'), ask('/broken'), ask('/silent')])).toEqual([
    'ok',
    'status 503',
    'the answer broke off',
    'no answer',
  ]);
  expect(await ask('/well', newAuthority('OtherMSP', 'tls', validity).certificate)).toMatch(/certificate|signature/);
  server.close();
  await once(server, 'close');
  expect(await ask('/well')).toContain('ECONNREFUSED');
});
