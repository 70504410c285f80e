import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';
import { openMetrics } from './metrics.ts';

describe('a server’s figures', () => {
  let scene: Scene;
  let customer: Person;
  beforeAll(async () => {
    scene = await openScene();
    customer = await scene.person('carol', ['customer']);
  });
  afterAll(() => scene.close());

  const text = async (): Promise<string> => (await fetch(`${scene.url}/metrics`)).text();
  /** The value of a series, undefined where there is none. */
  const value = async (series: string): Promise<number | undefined> => {
    const line = (await text()).split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  };

  test('follow the ledger, its follower and the outbox', async () => {
    const outbox = 'assay_outbox_messages{kind="ledger",state="ready"}';
    const lag = 'assay_outbox_oldest_seconds{kind="ledger",state="ready"}';
    expect([await value('assay_ledger_height'), await value(outbox)]).toEqual([0, undefined]);
    const job = await createTestJob(customer);
    expect([await value(outbox), await value('assay_ledger_lag_facts')]).toEqual([1, 0]);
    expect(await value(lag)).toBeGreaterThanOrEqual(0);
    await scene.settle();
    expect([await value('assay_ledger_height'), await value(outbox)]).toEqual([1, undefined]);
    // A fact that the market did not ask for waits until its follower looks.
    const operator = await scene.person('oscar', ['operator']);
    await operator.client.invoke({ contract: 'Contract', fn: 'cancelContract', args: [job.id] });
    expect(await value('assay_ledger_lag_facts')).toBe(1);
    expect(await value('assay_ledger_facts_total')).toBe(2);
    await scene.settle();
    expect(await value('assay_ledger_lag_facts')).toBe(0);
  });

  test('count what waits for workers, and the exchange', async () => {
    expect(await value('assay_queue_units')).toBe(0);
    const job = await createTestJob(customer);
    await customer.client.payJob(job.id, { method: 'instant' });
    const [delivery] = scene.bank.deliveries.slice(-1);
    await fetch(`${scene.url}/payment/webhook/eu`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...delivery?.headers },
      body: delivery?.raw as BodyInit,
    });
    await scene.settle();
    expect(await value('assay_queue_units')).toBeGreaterThan(0);
    expect(await value('assay_queue_replicas')).toBeGreaterThan(1);
    expect(await value('assay_exchange_waiting')).toBe(0);
    expect(await value('assay_exchange_ticks_total')).toBeGreaterThanOrEqual(0);
  });

  test('name routes by their pattern: asking for many paths makes no more series', async () => {
    const series = async (): Promise<number> => (await text()).split('\n').length;
    await fetch(`${scene.url}/nothing/first`);
    await fetch(`${scene.url}/ledger/blocks/0`, { headers: { authorization: `Bearer ${customer.key}` } });
    await series();
    const before = await series();
    for (let n = 0; n < 20; n += 1) {
      await fetch(`${scene.url}/nothing/${n}`);
      await fetch(`${scene.url}/ledger/blocks/${n}"}`, { headers: { authorization: `Bearer ${customer.key}` } });
      await fetch(`${scene.url}/ledger/blocks/0?n=${n}`, { headers: { authorization: `Bearer ${customer.key}` } });
    }
    // One more: `0"}` is malformed, a status that this route had not answered yet.
    expect((await series()) - before).toBeLessThan(25);
    expect(await value('assay_http_requests_total{method="GET",route="none",status="404"}')).toBe(21);
    expect(await text()).not.toContain('nothing');
  });

  test('leave streams out of the times to answer', async () => {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${customer.key}` };
    await fetch(`${scene.url}/events`, { headers, signal: stop.signal });
    stop.abort();
    await expect.poll(() => value('assay_event_streams')).toBe(0);
    expect(await text()).not.toContain('assay_http_request_seconds_count{method="GET",route="/events"');
  });

  test('are well-formed: each is described once, before its series', async () => {
    const lines = (await text()).trimEnd().split('\n');
    const described = lines.flatMap(
      (line) => /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(line)?.[1] ?? [],
    );
    expect(new Set(described).size).toBe(described.length);
    // What was not seen since the last look has no mean; the library spells that Nan.
    for (const line of lines) {
      if (line.startsWith('#') || line === '') continue;
      const [, name = ''] = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (?:[-+]?[\d.e+-]+|Na[Nn]|[+-]Inf)$/.exec(line) ?? [];
      const of = described.some((one) => name === one || name.replace(/_(bucket|sum|count)$/, '') === one);
      expect([line, of]).toEqual([line, true]);
    }
  });
});

test('a look that fails leaves its figures out and is counted, and the others are there', async () => {
  const metrics = openMetrics();
  metrics.figures([{ name: 'sound', help: 'x' }] as const, () => ({ sound: 7 }));
  let works = true;
  metrics.figures([{ name: 'shaky', help: 'x', labels: ['kind'] }] as const, () => {
    if (!works) throw new Error('no');
    return { shaky: [{ labels: { kind: 'a' }, value: 1 }] };
  });
  expect((await metrics.render()).text).toContain('shaky{kind="a"} 1');
  works = false;
  const { text } = await metrics.render();
  expect(text).toContain('sound 7');
  expect(text).not.toContain('shaky{');
  expect(text).toContain('assay_metrics_failures_total 1');
});
