import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@assay/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandFolder, commandProcess, soon, type CommandProcess } from './command-process.setup.ts';

const onLinux = process.platform === 'linux';
let folder: string;
let command: CommandProcess;
beforeAll(async () => {
  ({ folder, command } = await commandFolder('assay-refusals-'));
});
afterAll(async () => {
  command.stop();
  await rm(folder, { recursive: true, force: true });
});

async function demo(...args: string[]): Promise<{ status: number | string; text: string }> {
  const started = command.start(['demo', ...args]);
  return { status: await started.ended, text: started.text() };
}

test('numbers that no demo takes are wrong usage of their flag', async () => {
  expect(await demo('--port', '99999999')).toMatchObject({ status: 2, text: expect.stringMatching(/--port takes/) });
  expect(await demo('--window', '0.0001')).toMatchObject({ status: 2, text: expect.stringMatching(/--window takes/) });
});

test.skipIf(!onLinux)('state that cannot lie where it should is refused with a sentence (needs /proc)', async () => {
  const lost = commandProcess('/proc/nope', join(folder, 'tmp'));
  const started = lost.start(['demo', '--port', '0']);
  expect(await started.ended).toBe(1);
  expect(started.text()).toContain('the folder /proc/nope/demo cannot be made: ');
  lost.stop();
});

test('a port that somebody has is named, with what to say instead', { timeout: 200_000 }, async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { status, text } = await demo('--port', String(port));
  other.close();
  expect(status, text).toBe(1);
  expect(text).toContain(`port ${port} is taken: choose another with --port, or 0 for any [config.invalid]`);
});

test('a demo takes the runners of ASSAY_RUNNERS beside its own', { timeout: 200_000 }, async () => {
  const started = command.start(['demo', '--port', '0'], { ASSAY_RUNNERS: 'platform-runner:lua' });
  const access = await soon(180_000, () => (started.text().includes('Submitting') ? true : undefined));
  expect(access, started.text()).toBe(true);
  const { url, apiKey } = JSON.parse(await readFile(join(folder, 'state', 'access.json'), 'utf8')) as {
    url: string;
    apiKey: string;
  };
  const client = createClient({ baseUrl: url, auth: { kind: 'apiKey', key: apiKey } });
  const quoteFor = (runner: string) =>
    client.createQuote({ name: 'x', runner, entry_point: 'main.lua', budget_usd: 5 });
  expect(await quoteFor('platform-runner:lua')).toMatchObject({ units: 1 });
  await expect(quoteFor('platform-runner:cobol')).rejects.toMatchObject({ code: 'manifest.unknown_runner' });
  started.process.kill('SIGINT');
  expect(await started.ended, started.text()).toBe(130);
});
