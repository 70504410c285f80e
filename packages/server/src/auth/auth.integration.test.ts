import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Refusal } from '@assay/core';
import { openScene, type Scene } from '../market-scene.setup.ts';

const password = 'correct horse battery';

/** Signs in from an address of its own, so that only the account's own limit counts. */
function attempt(scene: Scene, text: string): Promise<string> {
  return scene.running.server.signIn.withPassword('eli@example.org', text, `10.0.0.${Math.random()}`).then(
    () => 'in',
    (error: Refusal) => error.code,
  );
}

describe('accounts and sign-in', () => {
  let scene: Scene;
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    scene.running.server.app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
  const open = (email: string) => call('POST', '/accounts', { email, password, region: 'eu', roles: ['customer'] });
  const signIn = async (email: string) => {
    const response = await call('POST', '/sessions', { email, password });
    return { response, cookie: `assay_session=${response.cookies[0]?.value ?? ''}` };
  };

  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test('an account opens once per address, in any case, and never tells its password', async () => {
    const first = await open('Ada@Example.org');
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({ email: 'ada@example.org', region: 'eu', roles: ['customer'] });
    const second = await open('ADA@example.org');
    expect(second.statusCode).toBe(409);
    expect(second.json()).toMatchObject({ code: 'account.exists' });
    expect(first.body + second.body).not.toContain('horse');
    const [row] = await scene.database.db.query<{ hash: string }>('SELECT password_hash AS hash FROM account');
    expect(row?.hash).toMatch(/^scrypt\$16\$1\$1\$/);
  });

  test('nobody opens an account with an office', async () => {
    const body = { email: 'eve@example.org', password, region: 'eu', roles: ['operator'] };
    expect((await call('POST', '/accounts', body)).json()).toMatchObject({ code: 'request.malformed', status: 400 });
  });

  test('a session lives in an HttpOnly cookie until it is ended', async () => {
    await open('bea@example.org');
    const { response, cookie } = await signIn('bea@example.org');
    expect(response.statusCode).toBe(201);
    expect(response.cookies[0]).toMatchObject({ name: 'assay_session', httpOnly: true, sameSite: 'Lax', path: '/' });
    expect((await call('GET', '/sessions/current', undefined, { cookie })).json()).toMatchObject({
      via: 'session',
      account: { email: 'bea@example.org' },
    });
    expect((await call('DELETE', '/sessions/current', undefined, { cookie })).statusCode).toBe(204);
    const after = await call('GET', '/sessions/current', undefined, { cookie });
    expect(after.json()).toMatchObject({ code: 'auth.required', status: 401 });
  });

  test('the database holds no secret that could be presented', async () => {
    await open('cal@example.org');
    const { cookie } = await signIn('cal@example.org');
    const secret = cookie.slice('assay_session='.length);
    const rows = await scene.database.db.query<{ hash: string }>('SELECT token_hash AS hash FROM session');
    expect(rows.map((row) => row.hash)).not.toContain(secret);
    expect(rows.every((row) => /^[0-9a-f]{64}$/.test(row.hash))).toBe(true);
  });

  test('a wrong password and an unknown address are told apart by nothing', async () => {
    await open('dan@example.org');
    const wrong = await call('POST', '/sessions', { email: 'dan@example.org', password: 'nope' });
    const unknown = await call('POST', '/sessions', { email: 'nobody@example.org', password: 'nope' });
    const { requestId: _a, ...first } = wrong.json<Record<string, unknown>>();
    const { requestId: _b, ...second } = unknown.json<Record<string, unknown>>();
    expect(first).toEqual(second);
    expect(first).toMatchObject({ code: 'auth.wrong_credentials', status: 401 });
  });

  test('too many wrong passwords make even the right one wait', async () => {
    await open('eli@example.org');
    const codes = [];
    for (let i = 0; i < 11; i += 1) codes.push(await attempt(scene, 'wrong'));
    expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'auth.wrong_credentials'));
    expect(codes[10]).toBe('request.rate_limited');
    expect(await attempt(scene, password)).toBe('request.rate_limited');
  });

  test('a ticket signs in once', async () => {
    const fay = await scene.person('fay', ['customer']);
    const ticket = await scene.running.server.signIn.issueTicket(fay.account);
    expect((await call('POST', '/sessions/ticket', { ticket })).statusCode).toBe(201);
    expect((await call('POST', '/sessions/ticket', { ticket })).json()).toMatchObject({
      code: 'auth.wrong_credentials',
    });
  });

  test('a ticket that is too old signs nobody in', async () => {
    const gil = await scene.person('gil', ['customer']);
    const ticket = await scene.running.server.signIn.issueTicket(gil.account);
    await scene.database.owner.query(`UPDATE sign_in_ticket SET expires_at = assay_now() - interval '1 second'`);
    expect((await call('POST', '/sessions/ticket', { ticket })).json()).toMatchObject({
      code: 'auth.wrong_credentials',
    });
  });

  test('an API key does what its scopes say and no more, and can be revoked', async () => {
    const hal = await scene.person('hal', ['customer']);
    const made = await hal.client.createApiKey({ name: 'reader', scopes: ['jobs:read'] });
    const bearer = { authorization: `Bearer ${made.secret}` };
    expect((await call('GET', '/jobs', undefined, bearer)).statusCode).toBe(200);
    expect((await call('GET', '/api-keys', undefined, bearer)).json()).toMatchObject({ code: 'auth.forbidden' });
    const listed = await hal.client.listApiKeys();
    expect(listed.items.map((key) => key.name)).toContain('reader');
    expect(JSON.stringify(listed)).not.toContain(made.secret);
    await hal.client.deleteApiKey(made.id);
    expect((await call('GET', '/jobs', undefined, bearer)).json()).toMatchObject({ code: 'auth.wrong_credentials' });
    await expect(hal.client.deleteApiKey(made.id)).rejects.toMatchObject({ code: 'api_key.not_found' });
  });

  test('a key cannot make a stronger key, and nobody revokes another’s', async () => {
    const [ivy, jon] = [await scene.person('ivy', ['customer']), await scene.person('jon', ['customer'])];
    const weak = await ivy.client.createApiKey({ name: 'weak', scopes: ['account'] });
    const body = { name: 'strong', scopes: ['account', 'jobs:write'] };
    const bearer = { authorization: `Bearer ${weak.secret}` };
    expect((await call('POST', '/api-keys', body, bearer)).json()).toMatchObject({ code: 'auth.forbidden' });
    await expect(jon.client.deleteApiKey(weak.id)).rejects.toMatchObject({ code: 'api_key.not_found' });
  });

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, 201],
    [{}, 201],
  ])('a request of another site is refused: %j → %i', async (headers, status) => {
    await open('kim@example.org');
    const response = await call('POST', '/sessions', { email: 'kim@example.org', password }, headers);
    expect(response.statusCode).toBe(status);
    if (status === 403) expect(response.json()).toMatchObject({ code: 'auth.csrf' });
  });

  test('a role that is taken away is gone at once', async () => {
    const lea = await scene.person('lea', ['provider']);
    expect((await lea.client.listWorkers()).items).toEqual([]);
    await scene.database.db.query(`UPDATE account SET roles = '{customer}' WHERE id = $1`, [lea.account]);
    await expect(lea.client.listWorkers()).rejects.toMatchObject({ code: 'auth.forbidden' });
  });

  test.each(['\u001b[31meve@example.org', 'eve\u202e@example.org', 'eve\u009b@example.org'])(
    'no name that repaints the terminal of whoever reads it: %j',
    async (email) => {
      const body = { email, password: 'a password of length', region: 'eu', roles: ['provider'] };
      const response = await fetch(`${scene.url}/accounts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(400);
      const paula = await scene.person(`paula-${randomUUID()}`, ['provider']);
      const machine = { arch: 'x64', os: 'linux', cpuCores: 1, memoryGb: 1, slots: 1, runners: [] };
      const worker = { publicKey: 'ab'.repeat(32), name: email, machine };
      await expect(paula.client.createWorker(worker)).rejects.toMatchObject({ code: 'request.malformed' });
    },
  );
});
