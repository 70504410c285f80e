/** What operators type, against a running market. */

import { rm } from 'node:fs/promises';
import { addToOutbox, claimOutbox, finishOutbox } from '@assay/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandFolder, type CommandProcess } from './command-process.setup.ts';
import { openWholeMarket, type Person, type WholeMarket } from './whole-market.setup.ts';

let market: WholeMarket;
let operator: Person;
let folder: string;
let command: CommandProcess;
beforeAll(async () => {
  market = await openWholeMarket({ workers: 0, capacity: 1 });
  operator = await market.person('olga', ['operator']);
  ({ folder, command } = await commandFolder('assay-operator-'));
});
afterAll(async () => {
  command.stop();
  await market.close();
  await rm(folder, { recursive: true, force: true });
});

async function assay(...args: string[]): Promise<{ status: number | string; text: string }> {
  const started = command.start(args, { ASSAY_URL: market.url, ASSAY_API_KEY: operator.apiKey });
  return { status: await started.ended, text: started.text().trim() };
}

// A command takes a second to start, so that each is asked once.
test('bans are set with a reason and a yes, listed, and lifted', async () => {
  const { account } = await market.person('eve', ['customer']);
  const reason = 'tried to leave the sandbox';
  expect(await assay('bans', 'list')).toEqual({ status: 0, text: 'nobody is banned' });
  expect(await assay('bans', 'list', '--json')).toEqual({ status: 0, text: '[]' });
  expect(await assay('bans', 'add', account, '--reason', reason)).toMatchObject({
    status: 1,
    text: expect.stringContaining('--yes') as string,
  });
  const banned = await assay('bans', 'add', account, '--reason', reason, '--yes');
  expect(banned).toEqual({ status: 0, text: `${account} is banned.` });
  expect(JSON.parse((await assay('bans', 'list', '--json')).text)).toMatchObject([{ subject: account, reason }]);
  expect(await assay('bans', 'lift', account, '--reason', 'a mistake', '--yes')).toMatchObject({ status: 0 });
});

test('messages that wait for a person are listed and sent again', async () => {
  const { db } = market.running;
  await addToOutbox(db, { kind: 'mail', op: 'welcome', ref: 'eve', key: 'mail to eve', request: {} });
  const [held] = await claimOutbox(db, ['mail']);
  await finishOutbox(db, held!, { kind: 'human', error: 'the mailbox is full' });
  const message = String(held!.id);
  expect((await assay('outbox', 'list')).text).toMatch(
    new RegExp(`^${message} +mail +welcome +eve .*mailbox is full$`),
  );
  expect(await assay('outbox', 'resume', message)).toMatchObject({
    status: 1,
    text: expect.stringContaining('say what was mended with --reason') as string,
  });
  expect(await assay('outbox', 'resume', message, '--reason', 'emptied', '--yes')).toMatchObject({
    status: 0,
    text: expect.stringContaining('is on its way') as string,
  });
  expect(await claimOutbox(db, ['mail'])).toMatchObject([{ ref: 'eve', inDoubt: true }]);
  expect(await assay('outbox', 'resume', message, '--reason', 'again', '--yes')).toMatchObject({
    status: 1,
    text: expect.stringContaining('message.not_held') as string,
  });
});
