/** Mutual exclusion between processes of one machine that no crash can leave locked. */

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { Fault } from '@assay/core';

const retryMs = 50;

/** Runs `work` while nobody else on this machine runs anything under the same `name`; waits two minutes unless told. */
export async function exclusively<T>(
  name: string,
  work: () => Promise<T>,
  { patienceMs = 120_000 }: { readonly patienceMs?: number } = {},
): Promise<T> {
  // The kernel frees a name of the abstract kind with its holder, even one that was killed.
  const address = `\0assay-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const endMs = performance.now() + patienceMs;
  let holder = await listen(address);
  while (holder === undefined) {
    if (performance.now() > endMs) {
      throw new Fault('sandbox.fault', `somebody else has held ${name} for ${patienceMs / 1000} s`, { retry: true });
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    holder = await listen(address);
  }
  try {
    return await work();
  } finally {
    holder.close();
  }
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}
