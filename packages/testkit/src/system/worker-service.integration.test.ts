import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@assay/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandProcess, soon, type CommandProcess } from './command-process.setup.ts';
import { openWholeMarket, submit, untilEnded, type WholeMarket } from './whole-market.setup.ts';

const name = "Dora's desk";
const key = 'Dora_s_desk';

let market: WholeMarket;
let apiKey: string;
let folder: string;
let command: CommandProcess;
let worker: CommandProcess;
const stateOf = (...rest: string[]): string => join(folder, 'state', 'worker', key, ...rest);

beforeAll(async () => {
  market = await openWholeMarket({ workers: 0, capacity: 1 });
  folder = await mkdtemp(join(tmpdir(), 'assay-service-'));
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777);
  apiKey = await market.provider('dora');
  await writeFile(join(folder, 'key'), `${apiKey}\n`);
  command = commandProcess(join(folder, 'state'), join(folder, 'tmp'));
  worker = commandProcess(join(folder, 'state'), join(folder, 'tmp'));
});
afterAll(async () => {
  command.stop();
  worker.stop();
  await market.close();
  await rm(folder, { recursive: true, force: true });
});

async function say(...args: string[]): Promise<{ readonly status: number | string; readonly text: string }> {
  const started = command.start(['worker', ...args]);
  return { status: await started.ended, text: started.text() };
}

async function statusOf(): Promise<Record<string, unknown> | undefined> {
  const { text } = await say('status', '--json');
  return (JSON.parse(text) as Record<string, unknown>[])[0];
}

const joinMarket = (...more: string[]) =>
  say('join', market.url, '--name', name, '--no-service', '--sandbox', 'wasm', '--disk-gb', '1', ...more);

describe('a worker of an owner', { timeout: 400_000 }, () => {
  test('is refused where the machine, the key or the words will not do, and nothing is stored', async () => {
    const wrong = join(folder, 'wrong');
    await writeFile(wrong, 'ask_not_a_key_of_this_market');
    const refused = await joinMarket('--key-file', wrong);
    expect(refused).toMatchObject({ status: 1, text: expect.stringContaining('does not take it') });
    expect(await joinMarket()).toMatchObject({ status: 1, text: expect.stringContaining('auth.required') });
    expect(await say('join', 'http://market.example', '--name', name)).toMatchObject({ status: 2 });
    expect(await joinMarket('--key-file', join(folder, 'key'), '--capacity', '65')).toMatchObject({
      status: 2,
      text: expect.stringContaining('--capacity must be 1 to 64'),
    });
    expect(await say('join', `${market.url}/some/path`, '--name', name)).toMatchObject({
      status: 2,
      text: expect.stringContaining(`a market has no path: say ${market.url}`),
    });
    const nowhere = await joinMarket('--key-file', join(folder, 'key'), '--runners', 'platform-runner:nope');
    expect(nowhere, nowhere.text).toMatchObject({
      status: 1,
      text: expect.stringContaining('no sandbox here has platform-runner:nope'),
    });
    const typo = await say('--name', 'a/../typo');
    expect(typo).toMatchObject({ status: 1, text: expect.stringContaining("worker join URL --name 'a/../typo'") });
    expect(await readdir(join(folder, 'state', 'worker')).catch(() => [])).toEqual([]);
  });

  test('leaves no folder of a first start that failed', async () => {
    const access = { ASSAY_URL: 'http://127.0.0.1:1', ASSAY_API_KEY: 'ask_of_a_market_that_is_away' };
    const started = command.start(['worker', '--name', 'ghost', '--sandbox', 'wasm'], access);
    expect(await started.ended, started.text()).toBe(1);
    expect(started.text()).toContain('server.unreachable');
    expect(await readdir(join(folder, 'state', 'worker'))).toEqual([]);
  });

  test('joins in one line, twice like once, with a key that nobody else can read', async () => {
    const first = await joinMarket('--key-file', join(folder, 'key'), '--hours', '00:00-12:00; 12:00-24:00');
    expect(first, first.text).toMatchObject({ status: 0, text: expect.stringContaining('the market takes it') });
    const written = await readFile(stateOf('settings.json'), 'utf8');
    expect(JSON.parse(written)).toMatchObject({
      url: market.url,
      name,
      sandbox: 'wasm',
      hours: ['00:00-12:00', '12:00-24:00'],
    });
    expect((await stat(stateOf('api-key'))).mode & 0o777).toBe(0o600);
    expect((await stat(stateOf())).mode & 0o777).toBe(0o700);
    // The key need not be given again, and what was said stays.
    expect(await joinMarket()).toMatchObject({ status: 0 });
    expect(await readFile(stateOf('settings.json'), 'utf8')).toBe(written);
  });

  test('is the one that a check without a name tests', async () => {
    const { status, text } = await say('check');
    expect(status, text).toBe(0);
    expect(text).toContain(`${market.url} answers`);
    expect(text).toContain('the market takes it');
  });

  test('shows the service that it would install', async () => {
    const { status, text } = await say('join', market.url, '--name', name, '--print');
    expect(status).toBe(0);
    expect(text).toContain(process.platform === 'darwin' ? '<plist' : 'ExecStart=');
    expect(text).not.toContain((await readFile(join(folder, 'key'), 'utf8')).trim());
  });

  test('works, pauses, resumes and leaves as it is told', async () => {
    const running = worker.start(['worker']);
    expect(await soon(200_000, () => (running.text().includes('works for') ? true : undefined)), running.text()).toBe(
      true,
    );
    expect(await statusOf()).toMatchObject({ name, runs: true, may: true, running: 0, pid: running.process.pid });
    const second = command.start(['worker']);
    expect(await second.ended, second.text()).toBe(1);
    expect(second.text()).toContain('worker.running');

    expect(await say('pause', '--for', '2h')).toMatchObject({ status: 0 });
    await expect.poll(statusOf, { interval: 500 }).toMatchObject({ may: false, reason: 'paused' });
    const { id } = await submit(
      market.customer,
      { resources: { memory_gb: 0.25, expected_minutes: 0.1 }, verification: { type: 'exact', redundancy: 1 } },
      { 'main.py': 'import os\nos.makedirs("results", exist_ok=True)\nopen("results/out.txt", "w").write("done")\n' },
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await market.customer.getJob(id)).state).toBe('funded');
    expect(await say('resume')).toMatchObject({ status: 0 });
    expect(await untilEnded(market.customer, [id], 120_000)).toMatchObject([{ state: 'completed' }]);

    const owner = createClient({ baseUrl: market.url, auth: { kind: 'apiKey', key: apiKey } });
    expect((await owner.listWorkers()).items).toMatchObject([{ name }]);
    // It ends in good order whoever started it.
    const left = await say('leave');
    expect(left, left.text).toMatchObject({
      status: 0,
      text: expect.stringContaining('gives back what runs and ends'),
    });
    expect(await running.ended, running.text()).toBe(0);
    expect((await owner.listWorkers()).items).toEqual([]);
    expect(await readdir(join(folder, 'state', 'worker'))).toEqual([]);
    expect(await say('status')).toMatchObject({ status: 0, text: 'No worker has its state here.\n' });
  });
});
