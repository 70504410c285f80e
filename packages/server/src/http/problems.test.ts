import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { answerMalformedHttp } from './problems.ts';

test(
  'a connection that sent no HTTP is told so, and is gone although its other end stays',
  { timeout: 20_000 },
  async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    server.on('clientError', answerMalformedHttp({ next: () => '0'.repeat(32) }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    const heard = text(socket);
    socket.write('NONSENSE\r\n\r\n');
    expect(await heard).toContain('"code":"request.malformed"');
    const open = (): Promise<number> =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
    await vi.waitFor(async () => expect(await open()).toBe(0), { timeout: 15_000 });
  },
);
