import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../api/openapi.ts';
import { addDevice, openScene, type Person, type Scene } from '../market-scene.setup.ts';

describe('the server', () => {
  let scene: Scene;
  let folder: string;
  let customer: Person;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-console-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>console</title>');
    await writeFile(join(folder, 'assets', 'app-1.js'), 'export {};');
    await writeFile(join(folder, '.secret'), 'no');
    scene = await openScene({
      ASSAY_CONSOLE_DIR: folder,
      ASSAY_RATE_BURST: '100',
      ASSAY_RATE_PER_MINUTE: '60',
      ASSAY_DEVICE_RATE_BURST: '20',
      ASSAY_DEVICE_RATE_PER_MINUTE: '1',
    });
    customer = await scene.person('carol', ['customer']);
  });
  afterAll(() => scene.close());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${scene.url}${path}`, { headers });
  const html = { accept: 'text/html' };
  const askAs = async (worker: string, remoteAddress: string) => {
    const headers = { 'assay-worker': worker };
    return (await scene.running.server.app.inject({ url: '/work/available', headers, remoteAddress })).statusCode;
  };

  test('tells browsers to trust nothing, on every answer', async () => {
    for (const path of ['/', '/health', '/nothing', '/jobs', '/assets/app-1.js']) {
      const { headers } = await get(path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    }
  });

  test('serves the console: assets for ever, pages fresh, and the start page for every page', async () => {
    const asset = await get('/assets/app-1.js');
    expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    for (const path of ['/', '/ledger', '/some/deep/page']) {
      const page = await get(path, html);
      expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
      expect(await page.text()).toContain('<title>console</title>');
    }
    const navigation = { url: '/jobs/job_1', headers: { ...html, 'sec-fetch-mode': 'navigate' } };
    expect((await scene.running.server.app.inject(navigation)).body).toContain('<title>console</title>');
    const download = { ...navigation, url: '/jobs/job_1/results.zip' };
    expect((await scene.running.server.app.inject(download)).body).toContain('auth.required');
  });

  test.each([
    '/assets/missing.js',
    '/.secret',
    '/assets/..%2f..%2fpackage.json',
    '/%2e%2e/etc/passwd',
    '/assets%5c..%5cx',
  ])('has no file %s', async (path) => {
    const response = await get(path);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  test('answers data requests for unknown paths with a problem, not with a page', async () => {
    const response = await get('/nothing', { accept: 'application/json' });
    expect(await response.json()).toMatchObject({ code: 'request.unknown_path', status: 404 });
  });

  test('answers what is no HTTP with a problem', async () => {
    const socket = connect(Number(new URL(scene.url).port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"request.malformed"');
  });

  test.each([
    ['a body that is no JSON', '{', 'application/json', 'request.malformed'],
    ['a body that is no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'application/json', 'request.malformed'],
    ['a poisoned prototype', '{"__proto__":{"x":1},"manifest":{}}', 'application/json', 'request.malformed'],
    ['an unknown key', '{"manifest":{},"extra":1}', 'application/json', 'request.malformed'],
    ['another type', 'a=1', 'application/x-www-form-urlencoded', 'request.malformed'],
    ['a body that is too large', `{"manifest":"${'x'.repeat(1024 * 1024)}"}`, 'application/json', 'request.too_large'],
  ])('refuses %s', async (_what, body, type, code) => {
    const response = await fetch(`${scene.url}/quotes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${customer.key}`, 'content-type': type },
      body: body as BodyInit,
    });
    expect(await response.json()).toMatchObject({ code });
  });

  test('reports health and readiness', async () => {
    expect(await (await get('/health')).json()).toMatchObject({ status: 'ok', payments: 'sandbox' });
    expect(await (await get('/health/live')).json()).toMatchObject({ status: 'ok' });
    for (const path of ['/ready', '/health/ready']) {
      const ready = await get(path);
      expect(ready.status).toBe(200);
      const lag = { name: 'ledger lag', text: expect.stringMatching(/^block \d+; \d+ facts wait/) as string };
      expect(await ready.json()).toMatchObject({
        ready: true,
        checks: [{ name: 'database' }, { name: 'ledger' }, lag, { name: 'objects' }],
      });
    }
  });

  test('shows its figures to this machine, and to others only with an operator’s key', async () => {
    expect(await (await get('/metrics')).text()).toContain('assay_http_request_seconds_count');
    const outside = { 'x-forwarded-for': '203.0.113.5' };
    expect((await get('/metrics', outside)).status).toBe(403);
    // A page's own name that its maker bound to 127.0.0.1; `fetch` does not let one write it.
    const rebound = await scene.running.server.app.inject({ url: '/metrics', headers: { host: 'evil.example' } });
    expect(rebound.statusCode).toBe(403);
    const bearer = { ...outside, authorization: `Bearer ${customer.key}` };
    expect((await get('/metrics', bearer)).status).toBe(403);
    const auditor = await scene.person('audrey', ['auditor']);
    expect((await get('/metrics', { ...outside, authorization: `Bearer ${auditor.key}` })).status).toBe(403);
    const operator = await scene.person('oscar', ['operator']);
    expect((await get('/metrics', { ...outside, authorization: `Bearer ${operator.key}` })).status).toBe(200);
  });

  test('answers each request once', async () => {
    const warnings: unknown[] = [];
    const { app } = scene.running.server;
    const warn = app.log.warn.bind(app.log);
    app.log.warn = (...args: unknown[]) => void warnings.push(args);
    for (const path of ['/metrics', '/health', '/jobs', '/']) await (await get(path)).text();
    app.log.warn = warn;
    expect(warnings).toEqual([]);
  });

  test('describes itself by the committed document', async () => {
    const committed = JSON.parse(await readFile('docs/reference/openapi.json', 'utf8')) as unknown;
    expect(await openApiDocument()).toEqual(committed);
    expect(await (await get('/openapi.json')).json()).toEqual(committed);
  });

  test('refuses those who ask too often, and says how long to wait', async () => {
    const eager = await scene.person('eager', ['customer']);
    const codes = [];
    for (let i = 0; i < 110; i += 1) codes.push((await get('/jobs', { authorization: `Bearer ${eager.key}` })).status);
    expect(codes.slice(0, 95).every((code) => code === 200)).toBe(true);
    const last = await get('/jobs', { authorization: `Bearer ${eager.key}` });
    expect(await last.json()).toMatchObject({ code: 'request.rate_limited', status: 429 });
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await get('/jobs', { authorization: `Bearer ${customer.key}` })).status).toBe(200);
  });

  test('lets nobody ask more often by naming another device each time, and many devices behind one address ask', async () => {
    const codes = [];
    for (let i = 0; i < 20 * 32 + 40; i += 1) codes.push(await askAs(`wrk_${i}`, '192.0.2.1'));
    expect(codes.slice(0, 20 * 32)).not.toContain(429);
    expect(codes.slice(20 * 32).filter((code) => code === 429).length).toBeGreaterThan(20);
    const one = [];
    for (let i = 0; i < 30; i += 1) one.push(await askAs('wrk_0', '192.0.2.2'));
    expect(one.indexOf(429)).toBe(20);
    expect(await askAs('wrk_1', '192.0.2.2')).not.toBe(429);
  });
});

test('a server that takes real money says so, so that nobody offers it a test card', async () => {
  const scene = await openScene({ ASSAY_PAYMENT_MODE: 'live' });
  expect(await (await fetch(`${scene.url}/health`)).json()).toMatchObject({ payments: 'live' });
  await scene.close();
});

describe('a server that stops', () => {
  test('ends long polls and streams, finishes what is under way, and answers nothing more', async () => {
    const scene = await openScene();
    const customer = await scene.person('carol', ['customer']);
    const device = await addDevice(scene, await scene.person('ann', ['provider']), 'box');
    const stream = await fetch(`${scene.url}/events`, { headers: { authorization: `Bearer ${customer.key}` } });
    const poll = device.work.exchange(
      { commits: [], reveals: [], failures: [], running: [], claim: 1, waitMs: 20_000 },
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    const look = device.work.available(20_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startedMs = performance.now();
    await scene.running.server.close();
    expect(performance.now() - startedMs).toBeLessThan(3000);
    expect(await look).toEqual({ items: [] });
    await expect(poll.then((reply) => reply.offers)).resolves.toEqual([]);
    expect(await stream.text()).toContain(': open');
    const socket = connect(Number(new URL(scene.url).port), '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await scene.close();
  });
});
