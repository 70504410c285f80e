/** Sessions as their account sees and ends them. */

import { createClient, type Client } from '@assay/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../market-scene.setup.ts';

const password = 'correct horse battery';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** Signs in as a browser does; the client speaks by the session's cookie. */
async function signIn(email: string, userAgent = firefox): Promise<Client & { readonly secret: string }> {
  const response = await fetch(`${scene.url}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    body: JSON.stringify({ email, password }),
  });
  const [cookie = ''] = response.headers.getSetCookie().map((one) => one.split(';')[0] ?? '');
  const withCookie = (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> =>
    fetch(input, { ...init, headers: { ...(init.headers as Record<string, string>), cookie } });
  const client = createClient({ baseUrl: scene.url, auth: { kind: 'cookie' }, fetch: withCookie });
  return { ...client, secret: cookie.split('=')[1] ?? '' };
}

async function open(email: string): Promise<void> {
  const nobody = createClient({ baseUrl: scene.url, auth: { kind: 'none' } });
  await nobody.createAccount({ email, password, region: 'eu', roles: ['customer'] });
}

test('sessions are listed newest first, with what signed in and without any secret', async () => {
  await open('ada@example.org');
  const [old, mine] = [await signIn('ada@example.org', 'curl/8.14.1'), await signIn('ada@example.org')];
  const page = await mine.listSessions();
  expect(page).toMatchObject({
    items: [
      { client: 'Firefox on Linux', current: true },
      { client: 'curl', current: false },
    ],
    next: null,
  });
  const text = JSON.stringify(page);
  for (const secret of [old.secret, mine.secret]) {
    expect(secret).toMatch(/^ses_/);
    expect(text).not.toContain(secret);
  }
  const first = await old.listSessions({ limit: 1 });
  expect(first.items).toHaveLength(1);
  const second = await old.listSessions({ limit: 1, after: first.next ?? '' });
  expect(second).toMatchObject({ items: [{ client: 'curl', current: true }], next: null });
});

test('the time of use is written once a minute', async () => {
  await open('bea@example.org');
  const bea = await signIn('bea@example.org');
  const used = async () => (await bea.listSessions()).items[0]?.lastUsedAt;
  const first = await used();
  expect(await used()).toBe(first);
  await scene.database.owner.query(`UPDATE session SET last_used_at = last_used_at - interval '2 minutes'`);
  await bea.currentSession();
  expect(Date.parse((await used()) ?? '')).toBeGreaterThanOrEqual(Date.parse(first ?? ''));
});

test('one session or all others are ended by their own account only', async () => {
  for (const email of ['cal@example.org', 'dan@example.org']) await open(email);
  const [mine, lost, other] = [
    await signIn('cal@example.org'),
    await signIn('cal@example.org'),
    await signIn('cal@example.org'),
  ];
  const dan = await signIn('dan@example.org');
  const lostId = (await lost.listSessions()).items.find(({ current }) => current)?.id ?? '';
  await expect(dan.endSession(lostId)).rejects.toMatchObject({ code: 'session.not_found' });
  await mine.endSession(lostId);
  await expect(lost.currentSession()).rejects.toMatchObject({ code: 'auth.required' });
  await expect(mine.endSession(lostId)).rejects.toMatchObject({ code: 'session.not_found' });
  await other.currentSession();
  expect(await mine.endOtherSessions()).toEqual({ ended: 1 });
  await expect(other.currentSession()).rejects.toMatchObject({ code: 'auth.required' });
  expect(await mine.endOtherSessions()).toEqual({ ended: 0 });
  expect((await mine.listSessions()).items).toMatchObject([{ current: true }]);
  expect((await dan.listSessions()).items).toHaveLength(1);
});

test('a session that is over is neither listed nor there to be ended', async () => {
  await open('eve@example.org');
  const [mine, over] = [await signIn('eve@example.org'), await signIn('eve@example.org')];
  const id = (await over.listSessions()).items.find(({ current }) => current)?.id ?? '';
  await scene.database.owner.query(`UPDATE session SET expires_at = assay_now() WHERE id = $1`, [id]);
  expect((await mine.listSessions()).items).toMatchObject([{ current: true }]);
  await expect(mine.endSession(id)).rejects.toMatchObject({ code: 'session.not_found' });
});
