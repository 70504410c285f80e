/** Single requests to an engine over its socket: what starting it and filling it with images needs. */

import { request } from 'node:http';
import type { Readable } from 'node:stream';
import { Fault } from '@assay/core';

export interface EngineReply {
  readonly status: number;
  readonly body: string;
}

const replyBytes = 4 * 1024 * 1024;

/** One request to the engine at `socketPath`; a reply of any status is an answer, a broken connection a fault. */
export function askEngine(
  socketPath: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: { readonly body?: Readable; readonly contentType?: string; readonly timeoutMs?: number } = {},
): Promise<EngineReply> {
  const { body, contentType = 'application/x-tar', timeoutMs = 60_000 } = options;
  const headers = body === undefined ? {} : { 'content-type': contentType };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new Fault('sandbox.fault', `the engine broke off ${method} ${path}`, { cause, retry: true }));
    const call = request({ socketPath, method, path, headers, agent: false, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > replyBytes) response.destroy(new Error(`the engine answered more than ${replyBytes} bytes`));
      });
      response.once('error', fail);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.once('timeout', () => call.destroy(new Error(`the engine did not answer within ${timeoutMs} ms`)));
    call.once('error', fail);
    if (body === undefined) call.end();
    else {
      body.once('error', (error) => call.destroy(error));
      body.pipe(call);
    }
  });
}

/** Whether an engine answers there. */
export async function engineAnswers(socketPath: string): Promise<boolean> {
  try {
    return (await askEngine(socketPath, 'GET', '/_ping', { timeoutMs: 5000 })).status === 200;
  } catch {
    return false;
  }
}
