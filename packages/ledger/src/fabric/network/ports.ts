/** Which ports a network on this machine takes. They are written into the channels' first blocks, so they stay. */

import { randomInt } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Refusal, refuse } from '@assay/core';

/** From `first` on, any free ones with 0, and without it free ones that stay free while the network is down. */
export function portsFrom(first: number | undefined, count: number): Promise<number[]> {
  return first === undefined ? lastingPorts(count) : choosePorts(first, count);
}

/** Above what usual services take, and below what Linux (32768) and others give to programs that ask for any port. */
const lasting = { from: 15_000, to: 32_000 } as const;
const tries = 50;

async function lastingPorts(count: number): Promise<number[]> {
  for (let left = tries; ; left -= 1) {
    try {
      // Anywhere in the range: a second network must not take the ports of a first that is down just now.
      return await choosePorts(randomInt(lasting.from, lasting.to - count), count);
    } catch (error) {
      if (!(error instanceof Refusal) || left === 0) throw error;
    }
  }
}

/** Ports that nobody uses now, from `first` on; 0 takes any. */
export async function choosePorts(first: number, count: number): Promise<number[]> {
  if (!Number.isInteger(first) || first < 0 || first + count > 65_536) {
    throw refuse('config.invalid', `${count} ports from ${first} on do not exist: the last is 65535`);
  }
  const servers: Server[] = [];
  try {
    for (let index = 0; index < count; index += 1) servers.push(await listenOn(first === 0 ? 0 : first + index));
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', () =>
      reject(
        refuse('config.invalid', `port ${port} is in use: name another first port with --port, or 0 for free ones`),
      ),
    );
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server));
  });
}
