import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '@assay/core';
import {
  addDevice,
  createTestJob,
  fund,
  manifestOf,
  openScene,
  workOff,
  zipOf,
  type Device,
  type Person,
  type Scene,
} from '../market-scene.setup.ts';

describe('orders, payments and disputes', () => {
  let scene: Scene;
  let customer: Person;
  let arbiter: Person;
  let devices: Device[];

  beforeAll(async () => {
    scene = await openScene();
    customer = await scene.person('carol', ['customer']);
    arbiter = await scene.person('arbiter', ['arbiter']);
    devices = [];
    for (const name of ['ann', 'bob', 'cid']) {
      devices.push(await addDevice(scene, await scene.person(name, ['provider']), 'box'));
    }
  });
  afterAll(() => scene.close());

  const jobCount = async (): Promise<number> => {
    const [row] = await scene.database.db.query<{ count: bigint }>('SELECT count(*) FROM job');
    return Number(row?.count);
  };
  const post = async (path: string, key: string | undefined, body?: unknown) => {
    const response = await fetch(`${scene.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${customer.key}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('a quote stores nothing and says what it counted', async () => {
    const before = await jobCount();
    const quote = await customer.client.createQuote(manifestOf());
    expect(quote).toMatchObject({ units: 2, redundancy: 3, replicas: 6 });
    expect(BigInt(quote.cap.minor)).toBe(BigInt(quote.perReplica.minor) * 6n);
    expect(await jobCount()).toBe(before);
  });

  test.each([
    [{ budget_usd: 0.05 }, 'quote.over_budget'],
    [{ runner: 'nobodys-runner:1' }, 'manifest.unknown_runner'],
    [{ entrypoint: 'x' }, 'manifest.unknown_key'],
    [{ parallelism: { chunks: 0 } }, 'manifest.out_of_bounds'],
    [{ region_preference: 'ru' }, 'payment.region_unavailable'],
    [{ entry_point: 'missing.py' }, 'manifest.file_missing'],
  ])('a bad order %j is refused with %s and leaves nothing behind', async (change, code) => {
    const before = await jobCount();
    await expect(createTestJob(customer, change)).rejects.toMatchObject({ code });
    expect(await jobCount()).toBe(before);
    expect(await readdir(join(scene.stateFolder, 'spool'))).toEqual([]);
  });

  test.each([
    ['not a zip', new Blob(['hello']), 'bundle.malformed'],
    ['no manifest', undefined, 'manifest.file_missing'],
  ])('a bundle that is %s is refused', async (_what, given, code) => {
    const bundle = given ?? (await zipOf({ 'main.py': '1' }));
    await expect(customer.client.createJob(bundle)).rejects.toMatchObject({ code });
    expect(await readdir(join(scene.stateFolder, 'spool'))).toEqual([]);
  });

  test('a manifest that is no JSON is refused', async () => {
    const bundle = await zipOf({ 'manifest.json': '{', 'main.py': '1' });
    await expect(customer.client.createJob(bundle)).rejects.toMatchObject({ code: 'manifest.malformed' });
  });

  test.each([
    ['no form at all', 'application/json', '{}', 'bundle.malformed'],
    [
      'another field',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="other"; filename="a"\r\n\r\n1\r\n--x--\r\n',
      'bundle.malformed',
    ],
    ['a broken frame', 'multipart/form-data; boundary=x', '--x\r\nnonsense', 'bundle.malformed'],
  ])('an upload with %s is refused', async (_what, type, body, code) => {
    const response = await fetch(`${scene.url}/contracts/create`, {
      method: 'POST',
      headers: { authorization: `Bearer ${customer.key}`, 'idempotency-key': 'upload-key', 'content-type': type },
      body,
    });
    const problem = (await response.json()) as { code: string };
    expect([code, 'request.malformed']).toContain(problem.code);
    expect(response.status).toBeLessThan(500);
    expect(await readdir(join(scene.stateFolder, 'spool'))).toEqual([]);
  });

  test('the same key gives the same job; with another bundle it is refused', async () => {
    const bundle = await zipOf({ 'manifest.json': JSON.stringify(manifestOf()), 'main.py': '1' });
    const other = await zipOf({ 'manifest.json': JSON.stringify(manifestOf()), 'main.py': '2' });
    const key = { idempotencyKey: 'one-order-only' };
    const [first, second] = [
      await customer.client.createJob(bundle, key),
      await customer.client.createJob(bundle, key),
    ];
    expect(second.id).toBe(first.id);
    await expect(customer.client.createJob(other, key)).rejects.toMatchObject({ code: 'idempotency.key_reused' });
  });

  test('upload progress counts the bytes', async () => {
    const seen: number[] = [];
    const bundle = await zipOf({ 'manifest.json': JSON.stringify(manifestOf()), 'main.py': '3' });
    await customer.client.createJob(bundle, { onProgress: (sent, total) => seen.push(sent / total) });
    expect(seen.at(-1)).toBe(1);
  });

  test('unsafe calls need a key and answer it again with the same bytes', async () => {
    const job = await createTestJob(customer);
    const path = `/jobs/${job.id}/pay`;
    expect(await post(path, undefined, {})).toMatchObject({ status: 400, body: { code: 'idempotency.key_missing' } });
    expect(await post(path, 'short', {})).toMatchObject({ status: 400, body: { code: 'idempotency.key_missing' } });
    const first = await post(path, 'pay-once-please', { method: 'instant' });
    expect(first.status).toBe(200);
    await scene.settle();
    expect(await post(path, 'pay-once-please', { method: 'instant' })).toEqual(first);
    const reused = await post(path, 'pay-once-please', { method: 'other' });
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency.key_reused' } });
  });

  test('a refused payment says so and the job can be paid otherwise', async () => {
    const job = await createTestJob(customer);
    await expect(customer.client.payJob(job.id, { method: 'declined' })).rejects.toMatchObject({
      code: 'payment.refused',
    });
    await fund(scene, customer, job);
    expect(await customer.client.getJob(job.id)).toMatchObject({ state: 'funded' });
  });

  test('an unpaid job can be cancelled, a paid one cannot', async () => {
    const unpaid = await createTestJob(customer);
    expect(await customer.client.cancelJob(unpaid.id)).toMatchObject({ state: 'cancelled' });
    await expect(customer.client.payJob(unpaid.id)).rejects.toMatchObject({ code: 'job.wrong_state' });
    const paid = await createTestJob(customer);
    await fund(scene, customer, paid);
    await expect(customer.client.cancelJob(paid.id)).rejects.toMatchObject({ code: 'job.wrong_state' });
  });

  test('a call without a body refuses one, and the job stays as it is', async () => {
    const job = await createTestJob(customer);
    for (const body of [[], { reason: 'too slow' }, 'now', 7]) {
      const answer = await post(`/jobs/${job.id}/cancel`, `cancel-${JSON.stringify(body).length}-please`, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'request.malformed' } });
    }
    expect(await customer.client.getJob(job.id)).toMatchObject({ state: 'created' });
    expect(await post(`/jobs/${job.id}/cancel`, 'cancel-it-please', {})).toMatchObject({ status: 200 });
  });

  test('results are not there before the job is verified', async () => {
    const job = await createTestJob(customer);
    for (const read of [
      () => customer.client.getResults(job.id),
      () => customer.client.getResultsZip(job.id),
      () => customer.client.getResultFile(job.id, 'out.txt'),
      () => customer.client.getReceipt(job.id),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'result.not_ready' });
    }
  });

  test('results of several units are read unit by unit, and more than may be listed are not read at all', async () => {
    const job = await createTestJob(customer);
    await fund(scene, customer, job);
    await workOff(devices, ({ ordinal }) => ({ 'out.txt': `unit ${ordinal}` }));
    const read = async (path: string) => new Response(await customer.client.getResultFile(job.id, path)).text();
    const paths = async (query: { unit?: number }) =>
      (await customer.client.getResults(job.id, query)).files.map((file) => file.path);
    expect(await paths({})).toEqual(['0000/out.txt', '0001/out.txt']);
    expect(await paths({ unit: 1 })).toEqual(['0001/out.txt']);
    expect(await paths({ unit: 2 })).toEqual([]);
    expect(await read('0001/out.txt')).toBe('unit 1');
    for (const path of ['out.txt', '0002/out.txt', '1/out.txt', '0001/other.txt', '00010/out.txt']) {
      await expect(read(path)).rejects.toMatchObject({ code: 'object.not_found' });
    }
    await scene.database.owner.query(
      `UPDATE replica SET outputs = (
         SELECT jsonb_agg(outputs->0 || jsonb_build_object('path', 'f' || n)) FROM generate_series(1, $2::int) AS n)
       WHERE id = (SELECT canonical_replica FROM unit WHERE job_id = $1 AND ordinal = 0)`,
      [job.id, limits.resultFiles],
    );
    const tooMany = { code: 'request.too_large', details: { files: limits.resultFiles + 1 } };
    await expect(customer.client.getResults(job.id)).rejects.toMatchObject(tooMany);
    await expect(customer.client.getResultsZip(job.id)).rejects.toMatchObject(tooMany);
    expect(await paths({ unit: 1 })).toEqual(['0001/out.txt']);
    expect(await read('0001/out.txt')).toBe('unit 1');
  });

  test('a dispute freezes, an arbiter who is no party decides, and downloads are never shown in the page', async () => {
    const job = await createTestJob(customer, { parallelism: { strategy: 'data_parallel', chunks: 1 } });
    await fund(scene, customer, job);
    await workOff(devices, () => ({ 'evil.html': '<script>alert(1)</script>', 'empty.txt': '' }));
    await scene.settle();
    const file = await fetch(`${scene.url}/jobs/${job.id}/results/evil.html`, {
      headers: { authorization: `Bearer ${customer.key}` },
    });
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="evil\.html"/);
    expect(file.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox; frame-ancestors 'none'");
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    expect(file.headers.get('content-type')).toBe('application/octet-stream');
    expect(await file.text()).toBe('<script>alert(1)</script>');
    expect(await new Response(await customer.client.getResultFile(job.id, 'empty.txt')).text()).toBe('');
    expect((await new Response(await customer.client.getResultsZip(job.id)).arrayBuffer()).byteLength).toBeGreaterThan(
      100,
    );
    await expect(customer.client.getResultFile(job.id, 'other.html')).rejects.toMatchObject({
      code: 'object.not_found',
    });

    const dispute = await customer.client.disputeJob(job.id, 'this is no result');
    expect(dispute).toMatchObject({ state: 'open', jobId: job.id });
    expect(await customer.client.getJob(job.id)).toMatchObject({ state: 'disputed', dispute: { id: dispute.id } });
    await expect(customer.client.disputeJob(job.id, 'again')).rejects.toMatchObject({ code: 'dispute.exists' });
    const ruling = { outcome: 'refund', reason: 'indeed' } as const;
    await expect(customer.client.resolveDispute(dispute.id, ruling)).rejects.toMatchObject({ code: 'auth.forbidden' });
    const unknown = `dsp_${'0'.repeat(32)}`;
    await expect(arbiter.client.resolveDispute(unknown, ruling)).rejects.toMatchObject({ code: 'dispute.not_found' });
    expect(await arbiter.client.resolveDispute(dispute.id, ruling)).toMatchObject({
      state: 'resolved',
      outcome: 'refund',
    });
    await scene.settle();
    expect(await customer.client.getJob(job.id)).toMatchObject({ state: 'refunded' });
  });

  test('pages follow each other without gap or repetition', async () => {
    const all = (await customer.client.listJobs({ limit: 200 })).items.map((job) => job.id);
    const paged: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await customer.client.listJobs({ limit: 2, ...(after === undefined ? {} : { after }) });
      paged.push(...page.items.map((job) => job.id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(paged).toEqual(all);
    const cancelled = (await customer.client.listJobs({ state: 'cancelled' })).items.map((job) => job.state);
    expect(cancelled).toEqual(['cancelled', 'cancelled']);
    const { id } = await createTestJob(customer);
    await fund(scene, customer, { id });
    const first = await customer.client.listUnits(id, { limit: 1 });
    const second = await customer.client.listUnits(id, { limit: 1, after: first.next ?? '' });
    expect([first, second].map((page) => page.items[0]?.ordinal)).toEqual([0, 1]);
    expect(second.next).toBeNull();
    await expect(customer.client.listUnits(id, { after: 'x' })).rejects.toMatchObject({
      code: 'request.malformed',
    });
    await expect(customer.client.listLogs(id, { after: 'x' })).rejects.toMatchObject({
      code: 'request.malformed',
    });
  });
});
