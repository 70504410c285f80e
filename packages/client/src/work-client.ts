/** What a worker's device calls: every request is signed with the device's key. */

import {
  deviceRequestText,
  envelopeText,
  limits,
  newId,
  parseSha256,
  toHex,
  utf8,
  type RequestId,
  type Sha256Hex,
} from '@assay/core';
import type { Device } from './auth.ts';
import { readJson, send, targetOf, type CallOptions, type Outgoing, type Transport } from './call.ts';
import { unreachable } from './failure.ts';
import type {
  Available,
  ExchangeRequest,
  ExchangeResponse,
  LogReply,
  LogRequest,
  StoredObject,
} from './generated/types.ts';

/** Where the market is and which device speaks. */
export interface WorkClientOptions {
  readonly baseUrl: string;
  readonly device: Device;
  readonly fetch?: typeof fetch;
}

/** Content to upload: its hash is signed, `open` starts the bytes afresh for each attempt. */
export interface Upload {
  readonly sha256: string;
  open(): BodyInit;
}

interface Unsigned extends Outgoing {
  readonly headers?: Record<string, string>;
}

/** The worker protocol. */
export type WorkClient = ReturnType<typeof createWorkClient>;

/** Makes a client for one device. */
export function createWorkClient(options: WorkClientOptions) {
  const { device } = options;
  const transport: Transport = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: () => ({}),
    cookies: false,
  };
  const signed = (outgoing: Unsigned, bodyHash: Sha256Hex, o?: CallOptions): Promise<Response> => {
    const sign = requestSigner(device, outgoing.method, outgoing.target, bodyHash);
    const headers = async (): Promise<Record<string, string>> => ({ ...outgoing.headers, ...(await sign()) });
    return send(transport, { ...outgoing, headers }, o);
  };
  return {
    /**
     * One exchange; `root` is core's `statementsRoot` over the body's statements. Attempts repeat the same bytes under
     * the same request id, so the server answers a repeated one as it did before; `request` lets later calls go on with
     * an id whose answer was lost.
     */
    async exchange(
      body: ExchangeRequest,
      root: string,
      o: CallOptions & { readonly request?: RequestId } = {},
    ): Promise<ExchangeResponse> {
      const text = JSON.stringify(body);
      const headers = await exchangeHeaders(device, text, root, o.request ?? newId('request', device.ids));
      const outgoing = { method: 'POST', target: '/work/exchange', headers, body: () => text, repeatable: true };
      const response = await send(transport, outgoing, { timeoutMs: body.waitMs + limits.clientTimeoutMs, ...o });
      return (await readJson(response)) as ExchangeResponse;
    },
    async available(waitMs = 0, o: CallOptions = {}): Promise<Available> {
      const target = targetOf('/work/available', {}, { waitMs });
      const timeoutMs = waitMs + limits.clientTimeoutMs;
      const response = await signed({ method: 'GET', target, repeatable: true }, hashText(device, ''), {
        timeoutMs,
        ...o,
      });
      return (await readJson(response)) as Available;
    },
    async sendLogs(lines: LogRequest['lines'], o?: CallOptions): Promise<LogReply> {
      const text = JSON.stringify({ lines });
      const headers = { 'content-type': 'application/json' };
      const outgoing = { method: 'POST', target: '/work/logs', headers, body: () => text, repeatable: false };
      return (await readJson(await signed(outgoing, hashText(device, text), o))) as LogReply;
    },
    /** Stores an output of a replica that this worker holds. */
    async putObject(replica: string, upload: Upload, o: CallOptions = {}): Promise<StoredObject> {
      const outgoing = {
        method: 'PUT',
        target: targetOf('/work/objects/{sha256}', { sha256: upload.sha256 }, { replica }),
        headers: { 'content-type': 'application/octet-stream' },
        body: () => upload.open(),
        repeatable: true,
      };
      const response = await signed(outgoing, asHash(upload.sha256), { timeoutMs: limits.clientUploadMs, ...o });
      return (await readJson(response)) as StoredObject;
    },
    /** The bytes of an input of a replica that this worker holds. */
    async getObject(replica: string, sha256: string, o: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
      const target = targetOf('/work/objects/{sha256}', { sha256 }, { replica });
      const outgoing = { method: 'GET', target, repeatable: true };
      const response = await signed(outgoing, hashText(device, ''), { timeoutMs: limits.clientUploadMs, ...o });
      if (!response.body) throw unreachable(undefined);
      return response.body;
    },
  };
}

async function exchangeHeaders(
  device: Device,
  text: string,
  root: string,
  request: RequestId,
): Promise<Record<string, string>> {
  const envelope = {
    worker: device.workerId,
    request,
    sentAtMs: device.nowMs(),
    statementsRoot: asHash(root),
    bodySha256: hashText(device, text),
  };
  return {
    'content-type': 'application/json',
    'assay-worker': envelope.worker,
    'assay-request': envelope.request,
    'assay-sent-at': String(envelope.sentAtMs),
    'assay-root': envelope.statementsRoot,
    'assay-signature': await device.sign(utf8(envelopeText(envelope))),
  };
}

/** Signs afresh for each attempt, so that a late one is not stale. */
function requestSigner(device: Device, method: string, target: string, bodyHash: Sha256Hex) {
  return async (): Promise<Record<string, string>> => {
    const request: RequestId = newId('request', device.ids);
    const sentAtMs = device.nowMs();
    const text = deviceRequestText({
      worker: device.workerId,
      request,
      sentAtMs,
      method,
      target,
      bodySha256: bodyHash,
    });
    return {
      'assay-worker': device.workerId,
      'assay-request': request,
      'assay-sent-at': String(sentAtMs),
      'assay-signature': await device.sign(utf8(text)),
    };
  };
}

function hashText(device: Device, text: string): Sha256Hex {
  return toHex(device.sha256(utf8(text))) as Sha256Hex;
}

function asHash(text: string): Sha256Hex {
  const hash = parseSha256(text);
  if (hash === undefined) throw new TypeError('not a SHA-256 in hex');
  return hash;
}
