/** Files of a gateway in a folder of their own, and calls with client certificates. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { enrolTls, newAuthority, type Authority, type KeyAndCertificate } from '@assay/ledger/testing';
import type { TlsPaths } from './tls-files.ts';

const dayMs = 86_400_000;

/** From a day ago until tomorrow. */
export const today = { fromMs: Date.now() - dayMs, toMs: Date.now() + dayMs };
export const past = { fromMs: Date.now() - 2 * dayMs, toMs: Date.now() - dayMs };
export const future = { fromMs: Date.now() + dayMs, toMs: Date.now() + 2 * dayMs };

export function authority(name: string, validity = today): Authority {
  return newAuthority('Example', name, validity);
}

/** A certificate for both ends of connections to this machine. */
export function enrolled(by: Authority, name: string, validity = today): KeyAndCertificate {
  return enrolTls(by, name, ['127.0.0.1'], validity);
}

export function fingerprintOf({ certificate }: KeyAndCertificate): string {
  return new X509Certificate(certificate).fingerprint256;
}

export interface TlsFolder {
  readonly paths: TlsPaths;
  write(file: keyof TlsPaths, content: string, mode?: number): Promise<void>;
  remove(): Promise<void>;
}

/** An empty folder for the four files. */
export async function tlsFolder(): Promise<TlsFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-tls-'));
  const paths = {
    certificate: join(folder, 'server.pem'),
    key: join(folder, 'server-key.pem'),
    authorities: join(folder, 'client-ca.pem'),
    clients: join(folder, 'clients.json'),
  };
  return {
    paths,
    async write(file, content, mode = file === 'key' ? 0o600 : 0o644) {
      // A new file takes the old one's place, as those do that renew certificates.
      await rm(paths[file], { force: true });
      await writeFile(paths[file], content, { mode });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function clientTable(...clients: readonly object[]): string {
  return JSON.stringify({ clients });
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly code: unknown;
}

/** The code of a problem. */
function codeIn(answer: string): unknown {
  try {
    return (JSON.parse(answer) as { code?: unknown }).code;
  } catch {
    return undefined;
  }
}

/** Calls of a program with a certificate, over one connection that is kept. */
export class Program {
  private readonly agent: Agent;
  private readonly url: string;

  constructor(url: string, trusted: Authority, own?: KeyAndCertificate) {
    this.url = url;
    const mine = own ? { key: own.key, cert: own.certificate } : {};
    this.agent = new Agent({ keepAlive: true, maxSockets: 1, ca: trusted.certificate, ...mine });
  }

  async call(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': `key-${path}` };
    const call = request(`${this.url}${path}`, { method, agent: this.agent, headers: { ...json, ...headers } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await answered;
    const answer = await text(response);
    return { status: response.statusCode ?? 0, body: answer, code: codeIn(answer) };
  }

  close(): void {
    this.agent.destroy();
  }
}
