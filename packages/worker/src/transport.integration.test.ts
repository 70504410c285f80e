import { createPublicKey, generateKeyPairSync, verify, createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deviceRequestText, envelopeText, newId, statementsRoot, uuidV7Source, type Envelope } from '@assay/core';
import { deviceKey, sha256 } from './device-key.ts';
import { hashOfText, replicaId, workerId } from './fake-server.setup.ts';
import { httpTransport, type WorkCalls } from './transport.ts';

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const clock = { nowMs: () => 1_800_000_000_000 };
const ids = uuidV7Source(clock.nowMs, (count) => crypto.getRandomValues(new Uint8Array(count)));

let server: Server;
let seen: Seen[];
let answers: { status: number; body: string | Buffer }[];
let calls: WorkCalls;
let folder: string;

beforeEach(async () => {
  seen = [];
  answers = [];
  folder = await mkdtemp(join(tmpdir(), 'assay-transport-'));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: target = '', headers } = request;
      seen.push({ method, target, headers, body: Buffer.concat(chunks) });
      const answer = answers.shift() ?? { status: 200, body: '{}' };
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  calls = httpTransport({ baseUrl, apiKey: 'key', clock, ids }).connect(workerId, deviceKey(privateKey));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function signedBy(text: string, headers: Seen['headers']): boolean {
  const signature = Buffer.from(String(headers['assay-signature']), 'hex');
  return verify(null, Buffer.from(text), createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), signature);
}

const bodyHash = (request: Seen) => hashOfText(request.body);

it('signs an exchange over its body and its statements, and repeats it under the same id', async () => {
  answers = [{ status: 503, body: 'away' }];
  const body = { commits: [], reveals: [], failures: [], running: [], claim: 1, waitMs: 0 };
  const root = statementsRoot(sha256, [], []);
  const request = newId('request', ids);
  await calls.exchange(body, root, request, new AbortController().signal);
  expect(seen).toHaveLength(2);
  for (const one of seen) {
    expect(JSON.parse(one.body.toString())).toEqual(body);
    const envelope: Envelope = {
      worker: workerId,
      request,
      sentAtMs: clock.nowMs(),
      statementsRoot: root,
      bodySha256: bodyHash(one),
    };
    expect(one.headers).toMatchObject({ 'assay-worker': workerId, 'assay-request': request, 'assay-root': root });
    expect(signedBy(envelopeText(envelope), one.headers)).toBe(true);
  }
});

it.each([10, 3 * 1024 * 1024])('uploads %i bytes of a file under their hash, signed', async (sizeBytes) => {
  const bytes = Buffer.alloc(sizeBytes, 'ab');
  const path = join(folder, 'output');
  await writeFile(path, bytes);
  const hash = hashOfText(bytes);
  await calls.putObject(replicaId(1), hash, path, sizeBytes);
  const [one] = seen;
  expect(one).toMatchObject({ method: 'PUT', target: `/work/objects/${hash}?replica=${replicaId(1)}` });
  expect(createHash('sha256').update(one!.body).digest('hex')).toBe(hash);
  const text = deviceRequestText({
    worker: workerId,
    request: one!.headers['assay-request'] as Envelope['request'],
    sentAtMs: clock.nowMs(),
    method: 'PUT',
    target: one!.target,
    bodySha256: hash,
  });
  expect(signedBy(text, one!.headers)).toBe(true);
});

it('downloads an input as a stream', async () => {
  answers = [{ status: 200, body: Buffer.from('content') }];
  const parts: Uint8Array[] = [];
  for await (const part of await calls.getObject(replicaId(1), hashOfText('content'))) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe('content');
});

it('turns a problem document into a refusal with its code', async () => {
  const problem = {
    type: 'about:blank',
    title: '',
    status: 403,
    detail: 'no',
    code: 'worker.banned',
    requestId: 'req',
  };
  answers = [{ status: 403, body: JSON.stringify(problem) }];
  await expect(calls.sendLogs([{ replica: replicaId(1), stream: 'stdout', text: 'x' }])).rejects.toMatchObject({
    code: 'worker.banned',
  });
});
