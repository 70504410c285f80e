import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Fault, Refusal } from '@assay/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient, parseEvents } from './index.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const json =
  (status: number, value: unknown): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const problem = (status: number, code: string, details = {}) =>
  json(status, { type: 'x', title: 't', status, detail: 'why', code, details, requestId: 'req_1' });
const cut: Answer = (request) => void request.socket.destroy();

describe('calls', () => {
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  let answers: Answer[] = [];
  const server = createServer((request, response) => {
    const answerIt = async (): Promise<void> => {
      const body = await text(request);
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response, body);
    };
    void answerIt();
  });
  let client: ReturnType<typeof createClient>;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    client = createClient({ baseUrl, auth: { kind: 'apiKey', key: 'ask_1' } });
  });
  beforeEach(() => {
    seen.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('carry the key, the path with its values, and the query', async () => {
    answers = [json(200, { items: [], next: null })];
    await client.listUnits('job_1/../x', { limit: 3, after: 'a&b' });
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/jobs/job_1%2F..%2Fx/units?limit=3&after=a%26b' });
    expect(seen[0]?.headers.authorization).toBe('Bearer ask_1');
    answers = [(_request, response) => void response.end('bytes')];
    await client.getResultFile('job_1', 'dir/a b.txt');
    expect(seen[1]?.url).toBe('/jobs/job_1/results/dir/a%20b.txt');
  });

  test('turn problems into refusals with code, details and request id', async () => {
    answers = [problem(409, 'job.wrong_state', { state: 'funded' })];
    const error = await client.cancelJob('job_1').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({
      code: 'job.wrong_state',
      message: 'why',
      details: { state: 'funded', requestId: 'req_1' },
    });
    expect(seen).toHaveLength(1);
  });

  test('keep a code that is newer than this client in the details', async () => {
    answers = [problem(418, 'tea.pot')];
    await expect(client.getJob('job_1')).rejects.toMatchObject({
      code: 'request.malformed',
      details: { code: 'tea.pot' },
    });
  });

  test('repeat reads and keyed calls over outages, with one key', async () => {
    answers = [cut, problem(503, 'server.stopping'), json(200, { id: 'job_1' })];
    expect(await client.cancelJob('job_1')).toEqual({ id: 'job_1' });
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map((one) => one.headers['idempotency-key'])).size).toBe(1);
    expect(seen[0]?.headers['idempotency-key']).toMatch(/^idk_[0-9a-f]{32}$/);
  });

  test('repeat what is still running or came too often, and take a caller’s key', async () => {
    answers = [problem(409, 'idempotency.in_progress'), problem(429, 'request.rate_limited'), json(200, {})];
    await client.disputeJob('job_1', 'bad', { idempotencyKey: 'my-own-key' });
    expect(seen.map((one) => one.headers['idempotency-key'])).toEqual(['my-own-key', 'my-own-key', 'my-own-key']);
  });

  test('give up after the last attempt', async () => {
    answers = [json(502, 'nonsense')];
    const error = await client.getJob('job_1').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: 'server.unreachable', retry: true });
    expect(seen).toHaveLength(5);
  });

  test('do not repeat what must not happen twice', async () => {
    answers = [cut];
    await expect(client.createApiKey({ name: 'n', scopes: ['account'] })).rejects.toMatchObject({
      code: 'server.unreachable',
    });
    expect(seen).toHaveLength(1);
  });

  test('do not repeat a fault of the server', async () => {
    answers = [problem(500, 'internal.fault')];
    await expect(client.getJob('job_1')).rejects.toMatchObject({ code: 'internal.fault', retry: false });
    expect(seen).toHaveLength(1);
  });

  test('stop when the caller does', async () => {
    answers = [cut];
    const stop = new AbortController();
    const call = client.getJob('job_1', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  test('follow no redirect', async () => {
    answers = [(_request, response) => void response.writeHead(302, { location: 'https://evil.example/' }).end()];
    await expect(client.createApiKey({ name: 'n', scopes: ['account'] })).rejects.toMatchObject({
      code: 'server.unreachable',
    });
  });
});

async function* sourceOf(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

const read = async (...chunks: string[]) => {
  const events = [];
  for await (const event of parseEvents(sourceOf(chunks))) events.push(event);
  return events;
};
describe('event streams', () => {
  const whole =
    ': hi\n\nid: 7.1\nevent: change\ndata: {"a":\ndata: 1}\n\ndata: x\r\n\r\nevent: end\n\n: bye\n\ndata: unfinished';
  const expected = [
    { id: '7.1', event: 'change', data: '{"a":\n1}' },
    { id: '7.1', event: 'message', data: 'x' },
    { id: '7.1', event: 'end', data: '' },
  ];

  test('are split into events', async () => {
    expect(await read(whole)).toEqual(expected);
  });

  test('wherever the chunks are cut', async () => {
    for (let at = 1; at < whole.length; at += 1)
      expect(await read(whole.slice(0, at), whole.slice(at))).toEqual(expected);
    expect(await read(...whole.split(''))).toEqual(expected);
  });
});
