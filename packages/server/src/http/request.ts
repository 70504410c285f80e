/** What our hooks know of a request, besides what Fastify knows. */

import type { WorkerId } from '@assay/core';
import '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Route } from '../api/routes/route.ts';
import type { Caller } from '../auth/caller.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is signed in. */
    caller: Caller | undefined;
    /** Asks again who that is, for what lasts longer than a request; refuses as the first time. */
    readmit: (() => Promise<Caller>) | undefined;
    /** The device that signed the request. */
    device: WorkerId | undefined;
    /** A JSON body byte for byte. */
    rawBody: Buffer | undefined;
  }
  interface FastifyContextConfig {
    row?: Route;
  }
}

/** The row of the route that a request is for; none for static files. */
export function rowOf(request: FastifyRequest): Route | undefined {
  return request.routeOptions.config.row;
}
