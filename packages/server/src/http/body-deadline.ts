/** A small body must arrive soon: whoever sends it byte by byte loses the connection. */

import { limits } from '@assay/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { rowOf } from './request.ts';

/** Destroys the socket of a request whose body takes longer than its limit. */
export function limitBodyTime(app: FastifyInstance): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (request.method === 'GET' || request.method === 'HEAD') return payload;
    const upload = rowOf(request)?.upload;
    const small = upload === undefined || upload === 'application/json';
    const ms = small ? limits.requestBodyMs : limits.uploadMs;
    timers.set(
      request,
      setTimeout(() => request.raw.destroy(), ms),
    );
    return payload;
  });
  const stop = async (request: FastifyRequest): Promise<void> => clearTimeout(timers.get(request));
  app.addHook('preHandler', async (request) => {
    // Uploads are still arriving when their handler starts.
    if (rowOf(request)?.upload === undefined) await stop(request);
  });
  app.addHook('onResponse', stop);
  app.addHook('onRequestAbort', stop);
}
