import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Change } from '@assay/client';
import { addChanges, setRoles } from '@assay/store';
import { limits, type JobId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';

/** Reads until `count` test changes came. */
const take = async (stream: AsyncIterable<Change>, count: number): Promise<Change[]> => {
  const seen: Change[] = [];
  for await (const change of stream) {
    if (change.kind === 'test') seen.push(change);
    if (seen.length === count) break;
  }
  return seen;
};
const numbersOf = (changes: readonly Change[]) => changes.map((change) => change.data['n']);

/** How many streams the server counts. */
async function streamsOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^assay_event_streams (\d+)$/m.exec(text)?.[1]);
}

describe('streams of changes', () => {
  let scene: Scene;
  let carol: Person;
  let dora: Person;

  beforeAll(async () => {
    scene = await openScene();
    carol = await scene.person('carol', ['customer']);
    dora = await scene.person('dora', ['customer']);
  });
  afterAll(() => scene.close());

  const tell = (person: Person, jobId: string | null, numbers: readonly number[]) =>
    scene.database.db.transaction((tx) =>
      addChanges(
        tx,
        numbers.map((n) => ({ accountId: person.account, jobId: jobId as JobId | null, kind: 'test', data: { n } })),
      ),
    );
  const watching = async (count: number): Promise<void> => {
    for (let i = 0; i < 200 && (await streamsOf(scene.url)) !== count; i += 1) await sleep(20);
    expect(await streamsOf(scene.url)).toBe(count);
  };

  test('carry everything of one’s own in order, and nothing of others', async () => {
    const end = new AbortController();
    const taken = take(carol.client.events({ signal: end.signal }), 4);
    await watching(1);
    await tell(dora, null, [100]);
    await tell(carol, null, [1, 2]);
    await tell(dora, null, [101]);
    await tell(carol, null, [3, 4]);
    expect(numbersOf(await taken)).toEqual([1, 2, 3, 4]);
    end.abort();
    await watching(0);
  });

  test('resume after the last event without gap or repetition, however the break falls', async () => {
    const [first] = await Promise.all([
      take(carol.client.events(), 1),
      watching(1).then(() => tell(carol, null, [1, 2, 3])),
    ]);
    await tell(
      carol,
      null,
      Array.from({ length: 450 }, (_, index) => 4 + index),
    );
    const after = first[0]?.position ?? '';
    const taken = take(carol.client.events({ after }), 460);
    await tell(
      carol,
      null,
      Array.from({ length: 8 }, (_, index) => 454 + index),
    );
    expect(numbersOf(await taken)).toEqual(Array.from({ length: 460 }, (_, index) => 2 + index));
    await watching(0);
  });

  test('a client whose server goes away resumes at another', async () => {
    let opened = 0;
    const flaky: typeof fetch = async (input, init) => {
      opened += 1;
      const response = await fetch(input, init);
      if (opened > 2 || !response.body) return response;
      let events = 0;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk);
          events += new TextDecoder().decode(chunk).split('event: change').length - 1;
          if (events >= 2) controller.terminate();
        },
      });
      return new Response(response.body.pipeThrough(cut), { status: response.status, headers: response.headers });
    };
    const auth = { kind: 'apiKey', key: carol.key } as const;
    const client = createClient({ baseUrl: scene.url, auth, fetch: flaky });
    const taken = take(client.events(), 6);
    await watching(1);
    for (const n of [1, 2, 3, 4, 5, 6]) {
      await tell(carol, null, [n]);
      // Longer than changes gather, so that they travel one by one and the cut falls between them.
      await sleep(80);
    }
    expect(numbersOf(await taken)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(opened).toBeGreaterThan(1);
    await watching(0);
  });

  test('of one job carry that job only', async () => {
    const [one, two] = [await createTestJob(carol), await createTestJob(carol)];
    const taken = take(carol.client.events({ jobId: one.id }), 2);
    await watching(1);
    await tell(carol, two.id, [50]);
    await tell(carol, one.id, [1]);
    await tell(carol, null, [51]);
    await tell(carol, one.id, [2]);
    expect(numbersOf(await taken)).toEqual([1, 2]);
    await expect(take(dora.client.events({ jobId: one.id }), 1)).rejects.toMatchObject({ code: 'job.not_found' });
    await watching(0);
  });

  test('begin with a comment, so that proxies pass the head at once, and are never cached', async () => {
    const response = await fetch(`${scene.url}/events`, { headers: { authorization: `Bearer ${carol.key}` } });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(': open\n\n');
    await reader?.cancel();
    await watching(0);
  });

  test('refuse a place that is none, and more streams than an account may have', async () => {
    const headers = { authorization: `Bearer ${dora.key}` };
    const bad = await fetch(`${scene.url}/events`, { headers: { ...headers, 'last-event-id': 'x' } });
    expect(await bad.json()).toMatchObject({ code: 'request.malformed' });
    const open = await Promise.all(Array.from({ length: 50 }, () => fetch(`${scene.url}/events`, { headers })));
    expect(open.every((response) => response.status === 200)).toBe(true);
    const more = await fetch(`${scene.url}/events`, { headers });
    expect(await more.json()).toMatchObject({ code: 'request.rate_limited', status: 429 });
    await Promise.all(open.map(async (response) => response.body?.cancel()));
    await watching(0);
    const again = await fetch(`${scene.url}/events`, { headers });
    expect(again.status).toBe(200);
    await again.body?.cancel();
    await watching(0);
  });

  test('end soon after the key that opened them is deleted, its owner signs out, or loses an office', async () => {
    const gone = await scene.person('gone', ['customer', 'auditor']);
    const ticket = await scene.running.server.signIn.issueTicket(gone.account);
    const session = await scene.running.server.signIn.withTicket(ticket, 'gone');
    const cookie = `assay_session=${session.token}`;
    const keys = await fetch(`${scene.url}/api-keys`, { headers: { cookie } });
    const { items } = (await keys.json()) as { items: { id: string }[] };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const open = (headers: Record<string, string>) => fetch(`${scene.url}/events`, { headers });
      const byKey = await open({ authorization: `Bearer ${gone.key}` });
      const bySession = await open({ cookie });
      const bystander = await open({ authorization: `Bearer ${carol.key}` });
      vi.advanceTimersByTime(limits.eventHeartbeatMs);
      await sleep(100);
      await watching(3);
      await fetch(`${scene.url}/api-keys/${items[0]?.id}`, { method: 'DELETE', headers: { cookie } });
      vi.advanceTimersByTime(limits.eventHeartbeatMs);
      expect(await byKey.text()).toContain(': still here');
      await watching(2);
      const another = await open({ cookie });
      await setRoles(scene.database.db, gone.account, ['customer']);
      vi.advanceTimersByTime(limits.eventHeartbeatMs);
      expect([await another.text(), await bySession.text()]).toEqual([
        expect.stringContaining(': still here'),
        expect.stringContaining(': still here'),
      ]);
      await watching(1);
      const last = await open({ cookie });
      await fetch(`${scene.url}/sessions/current`, { method: 'DELETE', headers: { cookie } });
      vi.advanceTimersByTime(limits.eventHeartbeatMs);
      expect(await last.text()).toContain(': still here');
      await watching(1);
      await bystander.body?.cancel();
    } finally {
      vi.useRealTimers();
    }
    await watching(0);
  });

  test('show an auditor everything', async () => {
    const auditor = await scene.person('audrey', ['auditor']);
    const taken = take(auditor.client.events(), 2);
    await watching(1);
    await tell(carol, null, [1]);
    await tell(dora, null, [2]);
    expect(numbersOf(await taken)).toEqual([1, 2]);
    await watching(0);
  });
});
