/** The server's process of the benchmark: the exchange over HTTP, as the real server mounts it. */

import { hash, randomBytes } from 'node:crypto';
import { uuidV7Source, type Sha256 } from '@assay/core';
import { deviceVerifier, openExchange } from '@assay/market';
import { createWorkStore, openDatabase } from '@assay/store';
import Fastify from 'fastify';

const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');
const nowMs = (): number => Math.floor(performance.timeOrigin + performance.now());

async function serve(connectionString: string): Promise<void> {
  const db = openDatabase({ connectionString, maxConnections: 4 });
  const store = createWorkStore({
    ...{ db, server: 'bench', challengeWindowMs: 0 },
    endings: { async verified() {}, async failed() {} },
  });
  const exchange = await openExchange({
    store,
    clock: { nowMs },
    ids: uuidV7Source(nowMs, (count) => randomBytes(count)),
    sha256,
    verifySignature: deviceVerifier(),
    ignoreNetwork: true,
  });
  const app = Fastify();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/work/exchange', (request) => {
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    return exchange.handle(
      {
        ...{ worker: header('assay-worker'), request: header('assay-request'), sentAt: header('assay-sent-at') },
        ...{ root: header('assay-root'), signature: header('assay-signature'), ip: request.ip },
      },
      request.body as Buffer,
    );
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.on('message', () => {
    void exchange
      .close()
      .then(() => app.close())
      .then(() => db.close())
      .then(() => process.disconnect());
  });
  process.send?.({ port: (app.server.address() as { port: number }).port });
}

process.once('message', (message: { connectionString: string }) => void serve(message.connectionString));
