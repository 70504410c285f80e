import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandFolder, soon, type CommandProcess } from './command-process.setup.ts';
import { openWholeMarket, type WholeMarket } from './whole-market.setup.ts';

let market: WholeMarket;
let folder: string;
let command: CommandProcess;
beforeAll(async () => {
  market = await openWholeMarket({ workers: 0, capacity: 1 });
  ({ folder, command } = await commandFolder('assay-interrupted-'));
});
afterAll(async () => {
  command.stop();
  await market.close();
  await rm(folder, { recursive: true, force: true });
});

test('who stops looking at a job is told that it goes on, and how to see it again', { timeout: 120_000 }, async () => {
  const { apiKey } = await market.person('carla', ['customer']);
  const job = join(folder, 'job');
  await mkdir(job);
  await writeFile(join(job, 'main.py'), 'print(1)\n');
  const environment = { ASSAY_URL: market.url, ASSAY_API_KEY: apiKey };
  const running = command.start(['run', job, '--budget', '5', '--yes', '--', 'main.py'], environment);
  const id = await soon(
    60_000,
    () => /(job_\w+)[^]*(?:waiting for the payment|units agreed)/.exec(running.text())?.[1],
  );
  expect(id, running.text()).toBeDefined();
  running.process.kill('SIGINT');
  expect(await running.ended, running.text()).toBe(130);
  expect(running.text()).toContain(`The job goes on without you: assay jobs show ${id} tells`);
});
