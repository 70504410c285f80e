/** How a route is described: one row of data that Fastify, the OpenAPI document and the client are made from. */

import type { ErrorCode } from '@assay/core';
import type { Static, TSchema } from 'typebox';
import type { roleNames, scopeNames } from '../schemas/account.ts';

export type Role = (typeof roleNames)[number];
export type Scope = (typeof scopeNames)[number];

/** For routes that any account may call; what it sees depends on who it is. */
export const anyRole: readonly Role[] = ['customer', 'provider', 'operator', 'arbiter', 'auditor'];

/**
 * Who may call: anybody; anybody as often as they like (`probe`, what supervisors look at); a payment provider by its
 * signature (`webhook`); a worker's device by its own; or a signed-in account with a scope and one of the roles.
 */
export type Access =
  | 'public'
  | 'probe'
  | 'webhook'
  | 'device'
  | { readonly scope: Scope; readonly roles: readonly Role[] };

/** What the answer carries besides JSON. */
export type MediaType = 'text/event-stream' | 'application/octet-stream' | 'application/zip' | 'text/plain';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As Fastify writes it: `/jobs/:id`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** How the body travels where it is not JSON. */
  readonly upload?: 'multipart/form-data' | 'application/octet-stream' | 'application/json';
  /** The handler checks the bytes by itself, since a signature covers them. */
  readonly rawBody?: true;
  /** The handler cleans text by itself: what programs print is not for us to refuse. */
  readonly anyText?: true;
  readonly status: 200 | 201 | 202 | 204;
  readonly reply?: TSchema;
  readonly media?: MediaType;
  /** Unsafe calls need an Idempotency-Key unless they are idempotent by nature. */
  readonly idempotent?: 'key' | 'nature';
  readonly refuses: readonly ErrorCode[];
}

/** Keeps the literal types of a row. */
export function route<const R extends Route>(row: R): R {
  return row;
}

type Part<R, K extends string> = R extends { readonly [P in K]: infer S extends TSchema } ? Static<S> : undefined;

/** What a handler of the row receives, checked. */
export interface Input<R extends Route> {
  readonly params: Part<R, 'params'>;
  readonly query: Part<R, 'query'>;
  readonly body: Part<R, 'body'>;
}

/** What a handler of the row answers. */
export type Reply<R extends Route> = R extends { readonly reply: TSchema } ? Static<R['reply']> : void;
