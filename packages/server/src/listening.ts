/** Listening: the public origin may depend on the port, which may be known only once it is taken. */

import { createServer } from 'node:net';
import { once } from 'node:events';
import { refuse } from '@assay/core';
import type { Config } from './config.ts';
import type { Server } from './server.ts';

/** A server that listens. */
export interface Listening {
  readonly server: Server;
  readonly url: string;
}

/** Builds the server for its public origin and opens its port. */
export async function listen(
  config: Pick<Config, 'host' | 'port' | 'publicOrigin'>,
  build: (publicOrigin: string) => Promise<Server>,
): Promise<Listening> {
  const port = config.port === 0 ? await freePort(config.host) : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  const server = await build(config.publicOrigin ?? url);
  await server.app.listen({ host: config.host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    const text = `port ${port} of ${host} is taken: choose another with ASSAY_PORT`;
    throw refuse('config.invalid', text, { variable: 'ASSAY_PORT' });
  });
  return { server, url };
}

async function freePort(host: string): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
