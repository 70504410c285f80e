/** What a handler is: a function from checked input and a known caller to the answer. */

import type { RequestId, WorkerId } from '@assay/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { Input, Reply, Route } from './routes/route.ts';
import type { OperationId, Routes } from './routes/table.ts';

/** The request around an input. */
export interface Call {
  readonly requestId: RequestId;
  /** The caller's network address. */
  readonly address: string;
  /** The Idempotency-Key of a keyed call. */
  readonly key: string | undefined;
  /** For handlers that stream or set cookies. */
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Who is there depends on the route's access. */
type Known<R extends Route> = R['access'] extends 'device'
  ? { readonly device: WorkerId }
  : R['access'] extends string
    ? { readonly caller?: undefined }
    : { readonly caller: Caller };

/** JSON routes return their answer; streaming ones send it by themselves and return the reply. */
type Answer<R extends Route> = R extends { readonly media: string } ? FastifyReply : Reply<R> | FastifyReply;

export type Handler<R extends Route> = (input: Input<R>, call: Call & Known<R>) => Answer<R> | Promise<Answer<R>>;

/** A handler for every row of the table. */
export type Handlers = { readonly [K in OperationId]: Handler<Routes[K]> };

/** The handlers of some rows. */
export type HandlersOf<K extends OperationId> = Pick<Handlers, K>;
