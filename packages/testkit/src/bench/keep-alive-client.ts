/** A small HTTP/1.1 client over one kept connection: simulated workers should cost less than what they measure. */

import { connect, type Socket } from 'node:net';
import { assert } from '@assay/core';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface KeepAliveClient {
  /** One request at a time. */
  post(path: string, headers: string, body: Buffer): Promise<Answer>;
  close(): void;
}

/** Connects to a server on this machine. */
export function openClient(port: number): KeepAliveClient {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = readAnswer(received);
    if (answer === undefined) return;
    received = Buffer.alloc(0);
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(answer);
  });
  const fail = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  return {
    post(path, headers, body) {
      assert(waiting === undefined, 'one request at a time');
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`;
        socket.write(Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n${headers}\r\n`), body]));
      });
    },
    close: () => socket.destroy(),
  };
}

/** The answer when all of it has arrived; it must say its length. */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  assert(Number.isInteger(length), 'an answer says its length');
  if (bytes.length < end + 4 + length) return undefined;
  return { status: Number(head.slice(9, 12)), body: bytes.subarray(end + 4, end + 4 + length) };
}
