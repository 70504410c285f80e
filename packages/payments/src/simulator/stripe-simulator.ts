/**
 * A Stripe of our own on the loopback address, for demos and tests: it speaks the wire protocol of the API that the real
 * SDK speaks, keeps the bank's books, sends signed webhooks, and fails where a script says so.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@assay/core';
import { bankActs, type BankActs } from './bank-acts.ts';
import { emptyBank, wireJson, type BankState } from './bank-books.ts';
import { bankDesk, type BankDesk, type BankTerms } from './bank-desk.ts';
import { faultScript, type FaultScript, type WireFault } from './fault-script.ts';
import { loadState, stateFile } from './state-file.ts';
import { webhookSender, type WebhookSender } from './webhook-sender.ts';
import { errorBody, WireError } from './wire-error.ts';
import { answer, type WireRequest } from './wire-routes.ts';

/** How a simulator is set up; all but the keys and the clock has a default. */
export interface SimulatorOptions extends Partial<BankTerms> {
  readonly clock: Clock;
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Keeps the books there; without one they end with the process. */
  readonly statePath?: string;
  readonly webhookRetryDelaysMs?: readonly number[];
}

/** A running simulator. */
export interface StripeSimulator {
  readonly host: string;
  readonly port: number;
  readonly faults: FaultScript;
  /** What happens on the bank's side: reversals, failed refunds, customers who pay. */
  readonly acts: BankActs;
  readonly webhooks: WebhookSender;
  /** The books, for comparison with ours. */
  readonly bank: BankState;
  /** Ends it; the books stay in their file. */
  stop(): Promise<void>;
}

const keyKeepMs = 24 * 3_600_000;
const bodyBytes = 64 * 1024;
const defaults: BankTerms = {
  livemode: false,
  minimumCharge: 50n,
  feePermille: 0n,
  feeFixed: 0n,
  settlementSeconds: 0,
  searchLagSeconds: 60,
};
const defaultDelaysMs = [200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000];

/** Starts a simulator on 127.0.0.1. */
export async function startStripeSimulator(options: SimulatorOptions): Promise<StripeSimulator> {
  const { clock, statePath } = options;
  const bank = (statePath === undefined ? undefined : await loadState(statePath)) ?? emptyBank();
  for (const [key, kept] of Object.entries(bank.answers)) {
    if (clock.nowMs() - kept.atMs > keyKeepMs) delete bank.answers[key];
  }
  for (const event of bank.events) {
    if (event.state !== 'withheld') Object.assign(event, { state: 'waiting', attempts: 0 });
  }
  const file = statePath === undefined ? undefined : stateFile(statePath, bank);
  const save = async (): Promise<void> => await file?.save();
  const faults = faultScript();
  const nowMs = (): number => clock.nowMs();
  const terms = { secret: options.webhookSecret, timeoutMs: 10_000 };
  const retryDelaysMs = options.webhookRetryDelaysMs ?? defaultDelaysMs;
  const webhooks = webhookSender(bank, { ...terms, retryDelaysMs }, faults, nowMs, () => void save());
  const desk = bankDesk(bank, { ...defaults, ...options }, nowMs, () => setImmediate(() => webhooks.wake()));
  const context = { desk, faults, nowMs, save, secretKey: options.secretKey };
  const server = createServer((request, response) => void serve(context, request, response));
  await listen(server, options.port ?? 0);
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    faults,
    acts: bankActs(desk, save),
    webhooks,
    bank,
    async stop() {
      await webhooks.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await save();
    },
  };
}

interface Context {
  readonly desk: BankDesk;
  readonly faults: FaultScript;
  readonly secretKey: string;
  nowMs(): number;
  save(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

async function serve(context: Context, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = context.desk.newId('req');
  try {
    const request = await readRequest(incoming);
    const fault = context.faults.takeRequest(request.method, request.path);
    if (fault === 'drop_before') return void incoming.socket.destroy();
    const reply = reactTo(context, request, incoming, fault, requestId);
    await context.save();
    send(response, reply, fault, requestId);
  } catch (error) {
    const wrong = error instanceof WireError ? error : new WireError(500, 'api_error', undefined, String(error));
    send(response, { status: wrong.status, body: errorBody(wrong, requestId) }, undefined, requestId);
  }
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > bodyBytes) throw new WireError(413, 'invalid_request_error', undefined, 'The body is too large.');
    chunks.push(chunk);
  }
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
  return { method: incoming.method ?? '', path, query, body: Buffer.concat(chunks).toString('utf8') };
}

function reactTo(
  context: Context,
  request: WireRequest,
  incoming: IncomingMessage,
  fault: WireFault | undefined,
  requestId: string,
): Reply {
  const failed = (status: number, type: string, code: string | undefined, message: string): Reply => ({
    status,
    body: errorBody(new WireError(status, type, code, message), requestId),
  });
  if (!authorized(context.secretKey, incoming.headers.authorization)) {
    return failed(401, 'invalid_request_error', undefined, 'Invalid API Key provided.');
  }
  if (fault === 'rate_limited') return failed(429, 'invalid_request_error', 'rate_limit', 'Too many requests.');
  if (fault === 'key_in_use') {
    return failed(409, 'invalid_request_error', 'idempotency_key_in_use', 'Another request with this key is running.');
  }
  const down = failed(500, 'api_error', undefined, 'Something went wrong on our side.');
  if (fault === 'fail_500') return down;
  const key = incoming.headers['idempotency-key'];
  if (request.method !== 'POST' || typeof key !== 'string') return run(context.desk, request, requestId);
  const reply = oncePerKey(context, key, request, () =>
    fault === 'kept_500' ? down : run(context.desk, request, requestId),
  );
  return fault === 'happened_500' ? down : reply;
}

function authorized(secretKey: string, header: string | undefined): boolean {
  return timingSafeEqual(sha256(header ?? ''), sha256(`Bearer ${secretKey}`));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function oncePerKey(context: Context, key: string, request: WireRequest, first: () => Reply): Reply {
  const { answers } = context.desk.bank;
  const fingerprint = sha256(`${request.path}\n${request.body}`).toString('hex');
  const kept = answers[key];
  if (kept && context.nowMs() - kept.atMs < keyKeepMs) {
    if (kept.fingerprint === fingerprint) return kept;
    throw new WireError(400, 'idempotency_error', undefined, 'This key was used before with other parameters.');
  }
  const reply = first();
  // What fails validation is looked at again; what was tried keeps its answer, errors too.
  if (!isUntried(reply)) answers[key] = { fingerprint, ...reply, atMs: context.nowMs() };
  return reply;
}

function isUntried(reply: Reply): boolean {
  return reply.status === 400 && /"code":"(?:parameter_|amount_too_)/.test(reply.body);
}

function run(desk: BankDesk, request: WireRequest, requestId: string): Reply {
  try {
    return { status: 200, body: wireJson(answer(desk, request)) };
  } catch (error) {
    if (error instanceof WireError) return { status: error.status, body: errorBody(error, requestId) };
    throw error;
  }
}

function send(response: ServerResponse, reply: Reply, fault: WireFault | undefined, requestId: string): void {
  if (fault === 'silence') return;
  if (fault === 'drop_after') return void response.destroy();
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(reply.body),
    'request-id': requestId,
  });
  if (fault === 'half_body') {
    response.write(reply.body.slice(0, reply.body.length / 2), () => response.destroy());
    return;
  }
  response.end(reply.body);
}
