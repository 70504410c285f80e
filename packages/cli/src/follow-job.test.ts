import { createClient, type Client } from '@assay/client';
import { afterEach, expect, test, vi } from 'vitest';
import { followJob } from './follow-job.ts';

afterEach(() => vi.restoreAllMocks());

/** A market that shows the states one after another, at each look the next. */
function marketOf(states: readonly string[]): Client {
  let look = 0;
  const reply = (path: string): unknown => {
    if (path.endsWith('/logs')) return { items: [], next: null };
    const state = states[Math.min(look, states.length - 1)];
    look += 1;
    return { id: 'job_1', state, counts: { units: 1, agreed: 0, replicasRunning: 0 } };
  };
  const answer: typeof fetch = async (target) => {
    const { pathname } = new URL(target instanceof Request ? target.url : target);
    if (pathname === '/events')
      return new Response('', { status: 200, headers: { 'content-type': 'text/event-stream' } });
    return Response.json(reply(pathname));
  };
  return createClient({ baseUrl: 'http://market.example', auth: { kind: 'apiKey', key: 'ask_x' }, fetch: answer });
}

test('JSON has a line for each change, and none for a look that found nothing new', async () => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  const client = marketOf(['funded', 'funded', 'running', 'running', 'completed']);
  expect(await followJob(client, 'job_1', { json: true })).toMatchObject({ state: 'completed' });
  const states = lines.map((line) => (JSON.parse(line) as { state: string }).state);
  expect(states).toEqual(['funded', 'running', 'completed']);
});
