import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { marketFindings } from './market.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** A market that answers these paths, and knows nothing else. */
async function marketOf(replies: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer(({ url = '' }, response) => {
    const reply = replies[url.split('?')[0] ?? ''];
    response.writeHead(reply === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply ?? { code: 'request.not_found', detail: 'no such page' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const none = { items: [], next: null };
const well = { '/health': {}, '/workers': none };

test('who has no account to be paid on is told how to add one', async () => {
  const url = await marketOf({ ...well, '/payout-accounts': none });
  expect((await marketFindings(url, 'ask_of_dora')).at(-1)).toMatchObject({
    what: 'payouts',
    state: 'missing',
    fix: expect.stringContaining(`curl -X POST ${url}/payout-accounts`) as string,
  });
});

test('who has one sees where earnings go', async () => {
  const one = { region: 'eu', provider: 'stripe', destination: 'acct_1', createdAt: '2026-11-21T00:00:00.000Z' };
  const url = await marketOf({ ...well, '/payout-accounts': { items: [one], next: null } });
  expect((await marketFindings(url, 'ask_of_dora')).at(-1)).toEqual({
    what: 'payouts',
    state: 'ok',
    text: 'go to stripe in eu',
  });
});

test('a market that does not tell is no lack', async () => {
  const url = await marketOf(well);
  expect((await marketFindings(url, 'ask_of_dora')).map(({ what }) => what)).toEqual(['market', 'clock', 'API key']);
});
