/** What the owner of an account types, against a running market. */

import { rm } from 'node:fs/promises';
import { createClient } from '@assay/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandFolder, type CommandProcess } from './command-process.setup.ts';
import { openWholeMarket, type Person, type WholeMarket } from './whole-market.setup.ts';

let market: WholeMarket;
let owner: Person;
let folder: string;
let command: CommandProcess;
beforeAll(async () => {
  market = await openWholeMarket({ workers: 0, capacity: 1 });
  owner = await market.person('dora', ['provider']);
  ({ folder, command } = await commandFolder('assay-account-'));
});
afterAll(async () => {
  command.stop();
  await market.close();
  await rm(folder, { recursive: true, force: true });
});

const client = () => createClient({ baseUrl: market.url, auth: { kind: 'apiKey', key: owner.apiKey } });

interface Said {
  readonly status: number | string;
  readonly text: string;
}

async function assayAs(apiKey: string, args: readonly string[], input?: string): Promise<Said> {
  const started = command.start(args, { ASSAY_URL: market.url, ASSAY_API_KEY: apiKey }, input);
  return { status: await started.ended, text: started.text().trim() };
}

const assay = (...args: string[]): Promise<Said> => assayAs(owner.apiKey, args);

/** Somebody with a password, signed in, and a key of theirs. */
async function signedIn(
  email: string,
  password: string,
): Promise<{ readonly cookie: string; readonly apiKey: string }> {
  const nobody = createClient({ baseUrl: market.url, auth: { kind: 'none' } });
  await nobody.createAccount({ email, password, region: 'eu', roles: ['customer'] });
  const { token } = await market.running.server.signIn.withPassword(email, password, 'test');
  const cookie = `assay_session=${token}`;
  const made = await fetch(`${market.url}/api-keys`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'shell', scopes: ['account'] }),
  });
  const { secret } = (await made.json()) as { secret: string };
  return { cookie, apiKey: secret };
}

// A command takes a second to start, so that each is asked once.
test('workers are listed, and removed with a yes', async () => {
  const machine = { arch: 'x64', os: 'linux', cpuCores: 1, memoryGb: 1, slots: 1, runners: [] };
  const { workerId } = await client().createWorker({ publicKey: 'ab'.repeat(32), name: 'attic', machine });
  const listed = await assay('workers', 'list');
  expect(listed).toMatchObject({ status: 0, text: expect.stringMatching(/^WORKER .*\nwrk_.* active .*attic$/) });
  expect(await assay('workers', 'remove', workerId)).toMatchObject({
    status: 1,
    text: expect.stringContaining('--yes') as string,
  });
  expect(await assay('workers', 'remove', workerId, '--yes')).toEqual({ status: 0, text: `${workerId} is removed.` });
  expect((await client().listWorkers()).items).toEqual([]);
});

test('API keys are listed, and revoked with a yes', async () => {
  const { id, secret } = await client().createApiKey({ name: 'old laptop', scopes: ['workers'] });
  const listed = await assay('keys', 'list', '--json');
  expect(listed.text).toContain(`"id":"${id}","name":"old laptop"`);
  expect(listed.text).not.toContain(secret);
  expect(await assay('keys', 'revoke', id, '--yes')).toEqual({ status: 0, text: `${id} is revoked.` });
  expect((await client().listApiKeys()).items.map((key) => key.id)).not.toContain(id);
});

test('a password is changed by what is typed into a pipe, which nothing repeats', async () => {
  const { cookie, apiKey } = await signedIn('ada@example.org', 'correct horse battery');
  const ask = ['password', 'change'];
  expect(await assayAs(apiKey, ask)).toMatchObject({ status: 1, text: expect.stringContaining('--stdin') as string });
  const guessed = await assayAs(apiKey, [...ask, '--stdin'], 'a guess\nstaple of another kind\n');
  expect(guessed).toMatchObject({ status: 1, text: expect.stringContaining('auth.wrong_credentials') as string });
  const changed = await assayAs(apiKey, [...ask, '--stdin'], 'correct horse battery\nstaple of another kind\n');
  expect(changed).toMatchObject({ status: 0, text: expect.stringContaining('The password is changed.') as string });
  expect(guessed.text + changed.text).not.toMatch(/horse|staple/);
  expect((await fetch(`${market.url}/sessions/current`, { headers: { cookie } })).status).toBe(401);
  await market.running.server.signIn.withPassword('ada@example.org', 'staple of another kind', 'test');
});

test('sessions are listed, and ended one by one or all at once', async () => {
  const { apiKey } = await signedIn('bea@example.org', 'correct horse battery');
  for (let more = 0; more < 2; more += 1) {
    await market.running.server.signIn.withPassword('bea@example.org', 'correct horse battery', 'test');
  }
  const listed = JSON.parse((await assayAs(apiKey, ['sessions', 'list', '--json'])).text) as { id: string }[];
  const ids = listed.map(({ id }) => id);
  expect(ids).toHaveLength(3);
  expect(await assayAs(apiKey, ['sessions', 'end'])).toMatchObject({ status: 1 });
  const ended = await assayAs(apiKey, ['sessions', 'end', ids[0] ?? '']);
  expect(ended).toEqual({ status: 0, text: `${ids[0]} is ended.` });
  const all = await assayAs(apiKey, ['sessions', 'end', '--all']);
  expect(all).toEqual({ status: 0, text: '2 sessions are ended.' });
});
