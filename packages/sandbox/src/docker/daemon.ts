/** The Docker Engine API over its Unix socket: plain HTTP, no command line, nothing quoted. */

import { Agent, request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Fault } from '@assay/core';
import { bounds } from './bounds.ts';

/** An answer of the daemon that is no success. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The hijacked connection to a container's stdin and stdout. */
export interface Attachment {
  readonly socket: Socket;
  /** What the daemon sent before the connection changed hands. */
  readonly head: Buffer;
}

export interface Daemon {
  /** The answer's JSON, or undefined where it has no body; throws `DaemonError`, or `sandbox.unavailable` without a daemon. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown>;
  attach(container: string): Promise<Attachment>;
  close(): void;
}

/** A client; nothing is connected before the first call. */
export function daemonAt(socketPath: string): Daemon {
  const agent = new Agent({ keepAlive: true, maxSockets: bounds.daemonConnections });
  let version: Promise<string> | undefined;
  const prefix = () => {
    version ??= call({ socketPath, agent, method: 'GET', path: '/version' }, undefined).then(apiPrefix);
    // A daemon that did not answer may do so the next time.
    version.catch(() => {
      version = undefined;
    });
    return version;
  };
  return {
    call: async (method, path, body) => call({ socketPath, agent, method, path: (await prefix()) + path }, body),
    attach: async (container) => attach(socketPath, `${await prefix()}/containers/${container}/attach`),
    close: () => agent.destroy(),
  };
}

interface Call {
  readonly socketPath: string;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
}

/** The oldest API that has all that is asked for: cgroup namespaces came with it. */
const least = 41;

function minor(text: unknown): number {
  return Number(/^1\.(\d+)$/.exec(String(text))?.[1] ?? Number.NaN);
}

/** The path prefix of the oldest version that has what is needed and that the daemon still speaks. */
export function apiPrefix(version: unknown): string {
  const { ApiVersion: newest, MinAPIVersion: oldest } = (version ?? {}) as Readonly<Record<string, unknown>>;
  if (!(minor(newest) >= least)) {
    const message = `the Docker daemon speaks API ${String(newest)}, and 1.${least} is needed`;
    throw new Fault('sandbox.unavailable', message, { retry: false });
  }
  return `/v1.${Math.max(least, minor(oldest) || least)}`;
}

function call({ socketPath, agent, method, path }: Call, body: object | undefined): Promise<unknown> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const headers = bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {};
    const sent = request({ socketPath, agent, method, path, headers }, (answer) => {
      readAnswer(answer).then(resolve, reject);
    });
    sent.setTimeout(bounds.daemonAnswerMs, () => sent.destroy(new Error('the Docker daemon does not answer')));
    sent.on('error', (error) => reject(noDaemon(error)));
    sent.end(bytes);
  });
}

function noDaemon(cause: Error): Fault {
  return new Fault('sandbox.unavailable', `the Docker daemon: ${cause.message}`, { cause, retry: true });
}

async function readAnswer(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += (chunk as Buffer).length;
    if (size > bounds.daemonAnswerBytes) throw new DaemonError(502, 'an answer of the Docker daemon is too long');
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString();
  const status = answer.statusCode ?? 0;
  const json: unknown = /json/.test(answer.headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) : undefined;
  if (status < 300 || status === 304) return json;
  const message = (json as { message?: unknown } | undefined)?.message;
  throw new DaemonError(status, typeof message === 'string' ? message : `the Docker daemon answered ${status}`);
}

function attach(socketPath: string, path: string): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      method: 'POST',
      path: `${path}?stream=1&stdin=1&stdout=1&stderr=1`,
      headers: { connection: 'Upgrade', upgrade: 'tcp' },
    });
    sent.on('upgrade', (_answer, socket, head) => resolve({ socket, head }));
    sent.on('response', (answer) => {
      readAnswer(answer).then(() => reject(new DaemonError(502, 'the daemon gave no stream')), reject);
    });
    sent.on('error', (error) => reject(noDaemon(error)));
    sent.end();
  });
}
