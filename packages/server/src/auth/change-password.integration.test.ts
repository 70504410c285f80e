import { createClient } from '@assay/client';
import type { Refusal } from '@assay/core';
import { readAudit } from '@assay/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../market-scene.setup.ts';

const [password, newPassword] = ['correct horse battery', 'staple of another kind'];

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const nobody = () => createClient({ baseUrl: scene.url, auth: { kind: 'none' } });
const open = (email: string) => nobody().createAccount({ email, password, region: 'eu', roles: ['customer'] });

const codeOf = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'in',
    (error: Refusal) => error.code,
  );

async function signIn(email: string, text = password): Promise<string> {
  const { token } = await scene.running.server.signIn.withPassword(email, text, `10.0.0.${Math.random()}`);
  return `assay_session=${token}`;
}

async function call(
  cookie: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ code: string | undefined }> {
  const response = await scene.running.server.app.inject({
    method: method as 'GET',
    url: path,
    headers: { cookie },
    ...(body === undefined ? {} : { payload: body }),
    remoteAddress: `10.1.0.${Math.ceil(Math.random() * 250)}`,
  });
  return { code: response.statusCode < 300 ? 'in' : response.json<{ code: string }>().code };
}

const change = (cookie: string, present: string, next: string) =>
  call(cookie, 'POST', '/account/password', { password: present, newPassword: next });
const look = (cookie: string) => call(cookie, 'GET', '/sessions/current');

test('another password ends the other sessions and unused links, keeps this one and the keys, and is written down', async () => {
  const { id } = await open('ada@example.org');
  const [mine, theirs] = [await signIn('ada@example.org'), await signIn('ada@example.org')];
  await open('bea@example.org');
  const bea = await signIn('bea@example.org');
  const ticket = await scene.running.server.signIn.issueTicket(id as never);
  expect(await change(mine, password, newPassword)).toEqual({ code: 'in' });
  expect(await look(mine)).toEqual({ code: 'in' });
  expect(await look(theirs)).toEqual({ code: 'auth.required' });
  expect(await look(bea)).toEqual({ code: 'in' });
  expect(await codeOf(nobody().redeemTicket(ticket))).toBe('auth.wrong_credentials');
  expect(await codeOf(signIn('ada@example.org'))).toBe('auth.wrong_credentials');
  await signIn('ada@example.org', newPassword);
  const lines = await readAudit(scene.database.db, 0n, 10, id);
  const by = expect.stringMatching(/^ses_/) as string;
  expect(lines).toMatchObject([{ actor: id, action: 'password.change', data: { by, ended: 1 } }]);
  expect(JSON.stringify(lines.map(({ data }) => data))).not.toContain('staple');
});

test('a key changes it with the present password only, and ends every session', async () => {
  await open('cal@example.org');
  const cookie = await signIn('cal@example.org');
  const made = await scene.running.server.app.inject({
    method: 'POST',
    url: '/api-keys',
    headers: { cookie },
    payload: { name: 'k', scopes: ['account'] },
  });
  const { secret: key } = made.json<{ secret: string }>();
  const client = createClient({ baseUrl: scene.url, auth: { kind: 'apiKey', key } });
  expect(await codeOf(client.changePassword({ password: 'a guess', newPassword }))).toBe('auth.wrong_credentials');
  expect(await codeOf(client.changePassword({ password, newPassword: 'too short' }))).toBe('request.malformed');
  expect(await look(cookie)).toEqual({ code: 'in' });
  await client.changePassword({ password, newPassword });
  expect(await look(cookie)).toEqual({ code: 'auth.required' });
  expect((await client.listApiKeys()).items).toHaveLength(1);
});

test('guesses at the present password are counted with those at signing in', async () => {
  await open('dan@example.org');
  const cookie = await signIn('dan@example.org');
  for (let guess = 0; guess < 10; guess += 1) {
    expect(await change(cookie, 'a guess', newPassword)).toEqual({ code: 'auth.wrong_credentials' });
  }
  expect(await change(cookie, password, newPassword)).toEqual({ code: 'request.rate_limited' });
  expect(await codeOf(signIn('dan@example.org'))).toBe('request.rate_limited');
});

test('of two changes at once one counts', async () => {
  await open('eve@example.org');
  const [one, two] = [await signIn('eve@example.org'), await signIn('eve@example.org')];
  const codes = await Promise.all([change(one, password, newPassword), change(two, password, `${newPassword}!`)]);
  // The one that came second is no session any more, or finds another password than it proved.
  expect(codes.filter(({ code }) => code === 'in')).toHaveLength(1);
});

test('an account that signs in by links has no password to change', async () => {
  const fay = await scene.person('fay', ['customer']);
  expect(await codeOf(fay.client.changePassword({ password, newPassword }))).toBe('account.no_password');
});
