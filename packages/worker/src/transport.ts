/** How the agent reaches the market: five calls, over HTTP or in memory. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createClient, createWorkClient, type ExchangeRequest, type LogRequest, type Machine } from '@assay/client';
import {
  limits,
  parseId,
  refuse,
  type Clock,
  type IdSource,
  type RequestId,
  type Sha256Hex,
  type WorkerId,
} from '@assay/core';
import { sha256, type DeviceKey } from './device-key.ts';

/** The calls that a registered worker signs. Each refuses or faults with the codes of core. */
export interface WorkCalls {
  /** Sends `body` under `request`; a repeated one is answered as it was before. What comes back is not to be trusted. */
  exchange(body: ExchangeRequest, root: Sha256Hex, request: RequestId, signal: AbortSignal): Promise<unknown>;
  sendLogs(lines: LogRequest['lines']): Promise<void>;
  /** Uploads the file at `path`. */
  putObject(replica: string, hash: Sha256Hex, path: string, sizeBytes: number): Promise<void>;
  getObject(replica: string, hash: Sha256Hex): Promise<AsyncIterable<Uint8Array>>;
}

export interface WorkTransport {
  /** Makes the device known; the same key is the same worker. Refuses `worker.exists` where another account has it. */
  register(name: string, publicKey: string, machine: Machine): Promise<WorkerId>;
  /** The calls of that worker, signed with its key. */
  connect(worker: WorkerId, key: DeviceKey): WorkCalls;
}

export interface HttpTransportOptions {
  readonly baseUrl: string;
  /** Of the provider's account; used to register only. */
  readonly apiKey: string;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Files up to this size are uploaded in one piece. */
const wholeBytes = 1024 * 1024;

/** The transport over fetch. */
export function httpTransport(options: HttpTransportOptions): WorkTransport {
  const { baseUrl, apiKey, clock, ids } = options;
  return {
    async register(name, publicKey, machine) {
      const client = createClient({ baseUrl, auth: { kind: 'apiKey', key: apiKey } });
      const { workerId } = await client.createWorker({ name, publicKey, machine });
      const worker = parseId('worker', workerId);
      if (worker === undefined) throw refuse('request.malformed', 'the server gave a worker id that is none');
      return worker;
    },
    connect(worker, key) {
      const device = { workerId: worker, sign: key.sign, sha256, ids, nowMs: () => clock.nowMs() };
      const calls = createWorkClient({ baseUrl, device });
      return {
        exchange: (body, root, request, signal) => calls.exchange(body, root, { request, signal }),
        async sendLogs(lines) {
          await calls.sendLogs(lines);
        },
        async putObject(replica, hash, path, sizeBytes) {
          const whole = sizeBytes <= wholeBytes ? await readFile(path) : undefined;
          const open = () => whole ?? (Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>);
          await calls.putObject(replica, { sha256: hash, open });
        },
        getObject: (replica, hash) => calls.getObject(replica, hash, { timeoutMs: limits.clientUploadMs }),
      };
    },
  };
}
