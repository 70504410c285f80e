/** One typed call: URL, headers, attempts, errors. */

import { limits } from '@assay/core';
import { backoffMs, pause } from './backoff.ts';
import { failureOf, mayPass, unreachable } from './failure.ts';
import type { Operations } from './generated/types.ts';

/** `METHOD /path` of an operation. */
export type OperationKey = keyof Operations;

/** Where and how requests go out. */
export interface Transport {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  headers(): Record<string, string>;
  /** Whether the browser may send the session cookie. */
  readonly cookies: boolean;
  /** How often a call that may be repeated is tried; `limits.clientAttempts` where it is left out. */
  readonly attempts?: number;
}

/** What a caller may add to any call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Fixes the key, so that a call repeated after a crash counts once. */
  readonly idempotencyKey?: string;
  /** How long one attempt may take. */
  readonly timeoutMs?: number;
}

/** One request as it goes out; `body` makes a fresh body for each attempt. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers?: Record<string, string> | (() => Promise<Record<string, string>>);
  readonly body?: () => BodyInit;
  /** Whether a repeated request does no harm. */
  readonly repeatable: boolean;
}

type Values = Readonly<Record<string, string | number | undefined>>;

/** `/jobs/{id}?after=…` with the values put in; a path parameter named `path` keeps its slashes. */
export function targetOf(path: string, params: Values = {}, query: Values = {}): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(params[name] ?? ''));
    return name === 'path' ? value.replaceAll('%2F', '/') : value;
  });
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length > 0 ? `${filled}?${pairs.join('&')}` : filled;
}

/** Sends until a success, a refusal, or the last attempt; throws a `Refusal` or `Fault`. */
export async function send(transport: Transport, outgoing: Outgoing, options: CallOptions = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce(transport, outgoing, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!outgoing.repeatable || !mayPass(error) || attempt >= (transport.attempts ?? limits.clientAttempts))
        throw error;
      await pause(backoffMs(attempt), options.signal);
    }
  }
}

async function attemptOnce(transport: Transport, outgoing: Outgoing, options: CallOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? limits.clientTimeoutMs);
  const own = typeof outgoing.headers === 'function' ? await outgoing.headers() : (outgoing.headers ?? {});
  const body = outgoing.body?.();
  const init: RequestInit & { duplex?: 'half' } = {
    method: outgoing.method,
    headers: { ...transport.headers(), ...own },
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    credentials: transport.cookies ? 'same-origin' : 'omit',
    redirect: 'error',
    ...(body === undefined ? {} : { body }),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  };
  const response = await transport.fetch(`${transport.baseUrl}${outgoing.target}`, init).catch((cause: unknown) => {
    throw unreachable(cause);
  });
  if (response.ok) return response;
  throw await failureOf(response);
}

/** A fresh idempotency key. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `idk_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

interface Parts<K extends OperationKey> {
  readonly params?: Operations[K]['params'];
  readonly query?: Operations[K]['query'];
  readonly body?: Operations[K]['body'];
}

/** How a call with JSON both ways behaves when it is repeated: reads and keyed calls may be, single ones may not. */
export type Repetition = 'keyed' | 'natural' | 'single';

/** A call that carries JSON both ways. */
export async function callJson<K extends OperationKey>(
  transport: Transport,
  operation: K,
  parts: Parts<K>,
  repetition: Repetition,
  options: CallOptions = {},
): Promise<Operations[K]['reply']> {
  const [method = 'GET', path = ''] = operation.split(' ');
  const key = repetition === 'keyed' ? (options.idempotencyKey ?? freshKey()) : undefined;
  const text = parts.body === undefined ? undefined : JSON.stringify(parts.body);
  const response = await send(
    transport,
    {
      method,
      target: targetOf(path, parts.params, parts.query),
      headers: {
        accept: 'application/json',
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(text === undefined ? {} : { body: () => text }),
      repeatable: repetition !== 'single',
    },
    options,
  );
  if (response.status === 204) return undefined;
  return (await readJson(response)) as Operations[K]['reply'];
}

/** The body of a success; one that breaks off is an outage. */
export async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw unreachable(cause);
  }
}
