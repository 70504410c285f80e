import { sign } from 'node:crypto';
import { deviceRequestText, newId, type ReplicaId, type WorkerId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addDevice,
  createTestJob,
  fund,
  hashText,
  openScene,
  workOff,
  type Device,
  type Person,
  type Scene,
} from '../market-scene.setup.ts';
import { systemClock, systemIds } from '../system-clock.ts';

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly body?: string;
  /** What the signature covers instead of what is sent. */
  readonly signed?: Readonly<{ method?: string; target?: string; body?: string; sentAtMs?: number; worker?: WorkerId }>;
  readonly aheadMs?: number;
  readonly request?: ReturnType<typeof newId<'request'>>;
}

describe('what devices call', () => {
  let scene: Scene;
  let customer: Person;
  let device: Device;
  let rival: Device;
  let replica: ReplicaId;
  const mainFile = hashText('print(1)\n');

  beforeAll(async () => {
    scene = await openScene();
    customer = await scene.person('carol', ['customer']);
    device = await addDevice(scene, await scene.person('ann', ['provider']), 'box');
    rival = await addDevice(scene, await scene.person('bob', ['provider']), 'box');
    const job = await createTestJob(customer);
    await fund(scene, customer, job);
    const { offers } = await device.exchange({ claim: 1 });
    replica = offers[0]?.replica as ReplicaId;
  });
  afterAll(() => scene.close());

  const send = async (from: Device, { method, target, body, signed = {}, ...rest }: Sent) => {
    const sentAtMs = systemClock.nowMs() + (rest.aheadMs ?? 0);
    const request = rest.request ?? newId('request', systemIds);
    const text = deviceRequestText({
      worker: signed.worker ?? from.id,
      request,
      sentAtMs: signed.sentAtMs ?? sentAtMs,
      method: signed.method ?? method,
      target: signed.target ?? target,
      bodySha256: hashText(signed.body ?? body ?? ''),
    });
    const response = await fetch(`${scene.url}${target}`, {
      method,
      headers: {
        'assay-worker': from.id,
        'assay-request': request,
        'assay-sent-at': String(sentAtMs),
        'assay-signature': sign(null, Buffer.from(text), from.privateKey).toString('hex'),
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as { code?: string } };
  };
  const available = { method: 'GET', target: '/work/available' };

  test('a signed look at the work that is there', async () => {
    const seen = await rival.work.available();
    expect(seen.items).toHaveLength(1);
    expect(seen.items[0]).toMatchObject({ runner: 'platform-runner:python-3.14', openReplicas: 5 });
    expect((await device.work.available()).items[0]).toMatchObject({ openReplicas: 3 });
  });

  test('a look waits until there is work', async () => {
    const busy = await addDevice(scene, await scene.person('late', ['provider']), 'box');
    await scene.database.owner.query('UPDATE unit SET wanted = 0');
    const waiting = busy.work.available(20_000);
    await scene.database.owner.query('UPDATE unit SET wanted = 2');
    expect((await waiting).items).toHaveLength(1);
  });

  test.each([
    ['another path', { signed: { target: '/work/available?waitMs=1' } }, 'auth.bad_signature'],
    ['another method', { signed: { method: 'POST' } }, 'auth.bad_signature'],
    ['another body', { signed: { body: 'x' } }, 'auth.bad_signature'],
    ['another time', { signed: { sentAtMs: 5 } }, 'auth.bad_signature'],
    ['an old time', { aheadMs: -121_000 }, 'request.stale'],
    ['a time to come', { aheadMs: 130_000 }, 'request.stale'],
  ])('a signature over %s is refused', async (_what, change, code) => {
    expect(await send(device, { ...available, ...change })).toMatchObject({ status: 401, body: { code } });
  });

  test('a request counts once', async () => {
    const request = newId('request', systemIds);
    expect(await send(device, { ...available, request })).toMatchObject({ status: 200 });
    expect(await send(device, { ...available, request })).toMatchObject({
      status: 401,
      body: { code: 'request.stale' },
    });
  });

  test('the key of one device signs for no other', async () => {
    const posing = { ...rival, id: device.id };
    expect(await send(posing, available)).toMatchObject({ status: 401, body: { code: 'auth.bad_signature' } });
  });

  test.each(['assay-worker', 'assay-request', 'assay-sent-at', 'assay-signature'])('%s must be there', async (name) => {
    const headers = new Headers({
      'assay-worker': device.id,
      'assay-request': newId('request', systemIds),
      'assay-sent-at': '1',
      'assay-signature': 'ff',
    });
    headers.delete(name);
    const response = await fetch(`${scene.url}/work/available`, { headers });
    expect(await response.json()).toMatchObject({ code: 'request.malformed' });
  });

  test('a banned worker gets nothing', async () => {
    const outcast = await addDevice(scene, await scene.person('eve', ['provider']), 'box');
    await scene.database.db.query(`UPDATE worker SET banned_at = assay_now(), ban_reason = 'escape' WHERE id = $1`, [
      outcast.id,
    ]);
    await expect(outcast.work.available()).rejects.toMatchObject({ code: 'worker.banned' });
    await expect(outcast.exchange({ claim: 1 })).rejects.toMatchObject({ code: 'worker.banned' });
  });

  test('inputs are read by who holds a replica that needs them', async () => {
    const text = await new Response(await device.work.getObject(replica, mainFile)).text();
    expect(text).toBe('print(1)\n');
    await expect(device.work.getObject(replica, hashText('elsewhere'))).rejects.toMatchObject({
      code: 'replica.not_found',
    });
    await expect(rival.work.getObject(replica, mainFile)).rejects.toMatchObject({ code: 'replica.not_found' });
  });

  test('a merge reads what the units wrote, an empty file that nobody uploaded too, and nothing else', async () => {
    const [one, two, three] = await Promise.all(
      ['mia', 'max', 'moe'].map(async (name) => addDevice(scene, await scene.person(name, ['provider']), 'box')),
    );
    const parallelism = { strategy: 'data_parallel', chunks: 2, merge_script: 'merge.py' };
    const other = await scene.person('dora', ['customer']);
    await fund(scene, other, await createTestJob(other, { parallelism }));
    let merge: string | undefined;
    const worked = workOff([one!, two!, three!], (offer) => {
      if (offer.kind === 'work') return { 'out.txt': `unit ${offer.ordinal}`, 'empty.log': '' };
      merge = offer.replica;
      throw new Error('the merge is leased');
    });
    await expect(worked).rejects.toThrow('the merge is leased');
    const read = async (hash: ReturnType<typeof hashText>) =>
      new Response(await one!.work.getObject(merge as ReplicaId, hash)).text();
    expect(await read(hashText('unit 1'))).toBe('unit 1');
    expect(await read(hashText(''))).toBe('');
    await expect(read(hashText('unit 2'))).rejects.toMatchObject({ code: 'replica.not_found' });
  });

  test('outputs are stored for who holds the replica, under the hash that they have', async () => {
    const upload = { sha256: hashText('out'), open: () => 'out' };
    expect(await device.work.putObject(replica, upload)).toEqual({ sha256: upload.sha256, sizeBytes: 3 });
    expect(await device.work.putObject(replica, upload)).toEqual({ sha256: upload.sha256, sizeBytes: 3 });
    await expect(rival.work.putObject(replica, upload)).rejects.toMatchObject({ code: 'replica.not_found' });
    const wrong = { sha256: hashText('right'), open: () => 'wrong' };
    await expect(device.work.putObject(replica, wrong)).rejects.toMatchObject({ code: 'object.hash_mismatch' });
    expect(await scene.running.objects.head('eu', hashText('wrong'))).toBeUndefined();
  });

  test('logs reach the customer in order; those of replicas that are not held are refused', async () => {
    const stranger = newId('replica', systemIds);
    const lines = [
      { replica, stream: 'stdout' as const, text: 'one\u0000' },
      { replica: stranger, stream: 'stdout' as const, text: 'smuggled' },
      { replica, stream: 'stderr' as const, text: 'two' },
    ];
    const reply = await device.work.sendLogs(lines);
    expect(reply).toEqual({ accepted: 2, refused: [{ replica: stranger, code: 'replica.not_found' }] });
    expect((await rival.work.sendLogs([{ replica, stream: 'stdout', text: 'no' }])).accepted).toBe(0);
    const [job] = (await customer.client.listJobs()).items;
    const page = await customer.client.listLogs(job?.id ?? '');
    expect(page.items.map((line) => [line.stream, line.text])).toEqual([
      ['stdout', 'one\uFFFD'],
      ['stderr', 'two'],
    ]);
    const rest = await customer.client.listLogs(job?.id ?? '', { after: page.next ?? '' });
    expect(rest).toEqual({ items: [], next: page.next });
  });

  test('a log beyond its limit is dropped', async () => {
    const line = { replica, stream: 'stdout' as const, text: 'x'.repeat(8000) };
    let accepted = 0;
    for (let i = 0; i < 3; i += 1) {
      accepted += (await device.work.sendLogs(Array.from({ length: 100 }, () => line))).accepted;
    }
    expect(accepted * 8000).toBeLessThanOrEqual(1024 * 1024);
    expect(accepted * 8000).toBeGreaterThan(1024 * 1024 - 16_000);
  });
});
