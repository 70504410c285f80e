/** The typed client of a market's HTTP API for people and programs; runs in browsers and on Node. */

import { limits } from '@assay/core';
import { authHeaders, type Auth } from './auth.ts';
import { uploadBundle, type Progress } from './bundle-upload.ts';
import {
  callJson,
  send,
  targetOf,
  type CallOptions,
  type OperationKey,
  type Repetition,
  type Transport,
} from './call.ts';
import { followBlocks, followChanges, type Following } from './event-stream.ts';
import { unreachable } from './failure.ts';
import type { Operations } from './generated/types.ts';

/** Where the market is and who speaks. */
export interface ClientOptions {
  /** Without a trailing slash; empty for the page's own origin. */
  readonly baseUrl: string;
  readonly auth: Auth;
  readonly fetch?: typeof fetch;
  /** How often a call that may be repeated is tried while the server is away; `limits.clientAttempts` where it is left out. */
  readonly attempts?: number;
}

type Body<K extends OperationKey> = Operations[K]['body'];
type Query<K extends OperationKey> = NonNullable<Operations[K]['query']>;
type Answer<K extends OperationKey> = Promise<Operations[K]['reply']>;

/** A method for every route that people and programs call. Refusals arrive as core's `Refusal`, outages as `Fault`. */
export type Client = ReturnType<typeof createClient>;

/** Makes a client. */
export function createClient(options: ClientOptions) {
  const transport: Transport = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: () => authHeaders(options.auth),
    cookies: options.auth.kind === 'cookie',
    ...(options.attempts !== undefined && { attempts: options.attempts }),
  };
  return { ...accounts(transport), ...jobs(transport), ...results(transport), ...ledger(transport) };
}

/** Binds the kinds of calls that all groups of methods are made of. */
function calls(transport: Transport) {
  const get = <K extends OperationKey>(
    key: K,
    params: Operations[K]['params'],
    query: Operations[K]['query'],
    options?: CallOptions,
  ): Answer<K> => callJson(transport, key, { params, query }, 'natural', options);
  const post = <K extends OperationKey>(
    key: K,
    params: Operations[K]['params'],
    body: Body<K>,
    repetition: Repetition,
    options?: CallOptions,
  ): Answer<K> => callJson(transport, key, { params, body }, repetition, options);
  return { get, post };
}

function accounts(transport: Transport) {
  const { get, post } = calls(transport);
  return {
    createAccount: (body: Body<'POST /accounts'>, o?: CallOptions) =>
      post('POST /accounts', undefined, body, 'single', o),
    signIn: (body: Body<'POST /sessions'>, o?: CallOptions) => post('POST /sessions', undefined, body, 'natural', o),
    redeemTicket: (ticket: string, o?: CallOptions) =>
      post('POST /sessions/ticket', undefined, { ticket }, 'single', o),
    currentSession: (o?: CallOptions) => get('GET /sessions/current', undefined, undefined, o),
    signOut: (o?: CallOptions) => post('DELETE /sessions/current', undefined, undefined, 'natural', o),
    listSessions: (query: Query<'GET /sessions'> = {}, o?: CallOptions) => get('GET /sessions', undefined, query, o),
    endSession: (id: string, o?: CallOptions) => post('DELETE /sessions/{id}', { id }, undefined, 'natural', o),
    endOtherSessions: (o?: CallOptions) => post('DELETE /sessions', undefined, undefined, 'natural', o),
    changePassword: (body: Body<'POST /account/password'>, o?: CallOptions) =>
      post('POST /account/password', undefined, body, 'single', o),
    createApiKey: (body: Body<'POST /api-keys'>, o?: CallOptions) =>
      post('POST /api-keys', undefined, body, 'single', o),
    listApiKeys: (o?: CallOptions) => get('GET /api-keys', undefined, undefined, o),
    deleteApiKey: (id: string, o?: CallOptions) => post('DELETE /api-keys/{id}', { id }, undefined, 'natural', o),
    createPayoutAccount: (body: Body<'POST /payout-accounts'>, o?: CallOptions) =>
      post('POST /payout-accounts', undefined, body, 'keyed', o),
    listPayoutAccounts: (o?: CallOptions) => get('GET /payout-accounts', undefined, undefined, o),
    createWorker: (body: Body<'POST /workers'>, o?: CallOptions) =>
      post('POST /workers', undefined, body, 'natural', o),
    listWorkers: (query: Query<'GET /workers'> = {}, o?: CallOptions) => get('GET /workers', undefined, query, o),
    removeWorker: (id: string, o?: CallOptions) => post('DELETE /workers/{id}', { id }, undefined, 'natural', o),
    listBans: (query: Query<'GET /bans'> = {}, o?: CallOptions) => get('GET /bans', undefined, query, o),
    ban: (body: Body<'POST /bans'>, o?: CallOptions) => post('POST /bans', undefined, body, 'natural', o),
    liftBan: (body: Body<'POST /bans/lift'>, o?: CallOptions) => post('POST /bans/lift', undefined, body, 'natural', o),
    listHeldMessages: (query: Query<'GET /outbox/held'> = {}, o?: CallOptions) =>
      get('GET /outbox/held', undefined, query, o),
    resumeMessage: (body: Body<'POST /outbox/held/resume'>, o?: CallOptions) =>
      post('POST /outbox/held/resume', undefined, body, 'natural', o),
  };
}

function jobs(transport: Transport) {
  const { get, post } = calls(transport);
  return {
    createQuote: (manifest: Body<'POST /quotes'>['manifest'], o?: CallOptions) =>
      post('POST /quotes', undefined, { manifest }, 'natural', o),
    createJob: (bundle: Blob, o?: CallOptions & { readonly onProgress?: Progress }) =>
      uploadBundle(transport, bundle, o),
    payJob: (id: string, body: Body<'POST /jobs/{id}/pay'> = {}, o?: CallOptions) =>
      post('POST /jobs/{id}/pay', { id }, body, 'keyed', o),
    cancelJob: (id: string, o?: CallOptions) => post('POST /jobs/{id}/cancel', { id }, undefined, 'keyed', o),
    disputeJob: (id: string, reason: string, o?: CallOptions) =>
      post('POST /jobs/{id}/dispute', { id }, { reason }, 'keyed', o),
    resolveDispute: (id: string, body: Body<'POST /disputes/{id}/resolve'>, o?: CallOptions) =>
      post('POST /disputes/{id}/resolve', { id }, body, 'keyed', o),
    listJobs: (query: Query<'GET /jobs'> = {}, o?: CallOptions) => get('GET /jobs', undefined, query, o),
    getJob: (id: string, o?: CallOptions) => get('GET /jobs/{id}', { id }, undefined, o),
    listUnits: (id: string, query: Query<'GET /jobs/{id}/units'> = {}, o?: CallOptions) =>
      get('GET /jobs/{id}/units', { id }, query, o),
    listMoney: (id: string, query: Query<'GET /jobs/{id}/money'> = {}, o?: CallOptions) =>
      get('GET /jobs/{id}/money', { id }, query, o),
    listFacts: (id: string, query: Query<'GET /jobs/{id}/facts'> = {}, o?: CallOptions) =>
      get('GET /jobs/{id}/facts', { id }, query, o),
    listLogs: (id: string, query: Query<'GET /jobs/{id}/logs'> = {}, o?: CallOptions) =>
      get('GET /jobs/{id}/logs', { id }, query, o),
    /** Changes of one job, or of everything that the caller may see, until the signal aborts. */
    events: (following: Following = {}) => followChanges(transport, following),
  };
}

async function download(
  transport: Transport,
  target: string,
  options: CallOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const outgoing = { method: 'GET', target, repeatable: true };
  const response = await send(transport, outgoing, { timeoutMs: limits.clientUploadMs, ...options });
  if (!response.body) throw unreachable(undefined);
  return response.body;
}

async function downloadText(transport: Transport, target: string, options?: CallOptions): Promise<string> {
  return new Response(await download(transport, target, options)).text();
}

function results(transport: Transport) {
  const { get } = calls(transport);
  return {
    getResults: (id: string, query: Query<'GET /jobs/{id}/results'> = {}, o?: CallOptions) =>
      get('GET /jobs/{id}/results', { id }, query, o),
    /** The bytes of one agreed file. */
    getResultFile: (id: string, path: string, o?: CallOptions) =>
      download(transport, targetOf('/jobs/{id}/results/{path}', { id, path }), o),
    /** All agreed files in one zip. */
    getResultsZip: (id: string, o?: CallOptions) => download(transport, targetOf('/jobs/{id}/results.zip', { id }), o),
    getReceipt: (id: string, o?: CallOptions) => get('GET /jobs/{id}/receipt', { id }, undefined, o),
    /** The receipt as the file that verifies: its bytes count, not only its values. */
    getReceiptText: (id: string, o?: CallOptions) => downloadText(transport, targetOf('/jobs/{id}/receipt', { id }), o),
  };
}

function ledger(transport: Transport) {
  const { get, post } = calls(transport);
  return {
    invoke: (body: Body<'POST /chaincode/invoke'>, o?: CallOptions) =>
      post('POST /chaincode/invoke', undefined, body, 'keyed', o),
    query: (query: Query<'GET /chaincode/query'>, o?: CallOptions) => get('GET /chaincode/query', undefined, query, o),
    ledgerHead: (o?: CallOptions) => get('GET /ledger/head', undefined, undefined, o),
    listBlocks: (query: Query<'GET /ledger/blocks'> = {}, o?: CallOptions) =>
      get('GET /ledger/blocks', undefined, query, o),
    getBlock: (number: string, o?: CallOptions) => get('GET /ledger/blocks/{number}', { number }, undefined, o),
    listTransactions: (
      number: string,
      query: Query<'GET /ledger/blocks/{number}/transactions'> = {},
      o?: CallOptions,
    ) => get('GET /ledger/blocks/{number}/transactions', { number }, query, o),
    getTransactionAt: (number: string, index: string, o?: CallOptions) =>
      get('GET /ledger/blocks/{number}/transactions/{index}', { number, index }, undefined, o),
    getTransaction: (txId: string, o?: CallOptions) => get('GET /ledger/transactions/{txId}', { txId }, undefined, o),
    listLedgerFacts: (query: Query<'GET /ledger/facts'> = {}, o?: CallOptions) =>
      get('GET /ledger/facts', undefined, query, o),
    workerHistory: (id: string, query: Query<'GET /ledger/workers/{id}/history'> = {}, o?: CallOptions) =>
      get('GET /ledger/workers/{id}/history', { id }, query, o),
    searchLedger: (q: string, o?: CallOptions) => get('GET /ledger/search', undefined, { q }, o),
    getProof: (txId: string, o?: CallOptions) => get('GET /ledger/proofs/{txId}', { txId }, undefined, o),
    /** The proof as the file that `assay verify` reads. */
    getProofText: (txId: string, o?: CallOptions) =>
      downloadText(transport, targetOf('/ledger/proofs/{txId}', { txId }), o),
    /** New blocks until the signal aborts. */
    newBlocks: (following: Omit<Following, 'jobId'> = {}) => followBlocks(transport, following),
    health: (o?: CallOptions) => get('GET /health', undefined, undefined, o),
    ready: (o?: CallOptions) => get('GET /ready', undefined, undefined, o),
  };
}
