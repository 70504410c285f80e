/** Requests under way: a stopping server waits for these, not for connections that clients merely keep. */

import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '@assay/core';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Counts requests from their head to the end of their answer. */
export interface InFlight {
  /** Resolves when no request is under way, or when the time to stop is over; then ends every connection. */
  drain(): Promise<void>;
}

/** Starts counting. */
export function countRequests(app: FastifyInstance): InFlight {
  const open = new Set<FastifyReply>();
  app.addHook('onRequest', async (_request, reply) => {
    open.add(reply);
    reply.raw.once('close', () => open.delete(reply));
  });
  return {
    async drain() {
      for (let waitedMs = 0; open.size > 0 && waitedMs < limits.stopMs; waitedMs += limits.stopLookMs) {
        await sleep(limits.stopLookMs);
      }
      app.server.closeAllConnections();
    },
  };
}
