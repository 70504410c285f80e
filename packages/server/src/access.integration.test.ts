/** Every route of the table is shut to whom it does not name, and what is another account's is not there. */

import { newId } from '@assay/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemIds } from './system-clock.ts';
import { anyRole, type Role, type Route } from './api/routes/route.ts';
import { routes } from './api/routes/table.ts';
import {
  addDevice,
  createTestJob,
  fund,
  openScene,
  workOff,
  type Device,
  type Person,
  type Scene,
} from './market-scene.setup.ts';

describe('who may call', () => {
  let scene: Scene;
  const people = new Map<Role, Person>();
  beforeAll(async () => {
    scene = await openScene();
    for (const role of anyRole) people.set(role, await scene.person(role, [role]));
  });
  afterAll(() => scene.close());

  const call = async (row: Route, headers: Readonly<Record<string, string>>) => {
    const url = row.path.replace(':sha256', 'c'.repeat(64)).replaceAll(/:\w+|\*/g, 'x');
    const replica = newId('replica', systemIds);
    const query: Record<string, string> = row.path === '/work/objects/:sha256' ? { replica } : {};
    const body = row.path === '/work/logs' ? { lines: [{ replica, stream: 'stdout', text: 'x' }] } : {};
    const sent = row.method === 'POST' ? { payload: body } : {};
    const response = await scene.running.server.app.inject({ method: row.method, url, query, headers, ...sent });
    return response.json<{ code?: string }>().code;
  };

  const guarded = Object.entries<Route>(routes).filter(([, row]) => typeof row.access === 'object');
  test.each(guarded)('%s tells nobody without credentials, and nobody of another role', async (_name, row) => {
    expect(await call(row, {})).toBe('auth.required');
    const { roles } = row.access as Exclude<Route['access'], string>;
    for (const role of anyRole.filter((one) => !roles.includes(one))) {
      expect(await call(row, { authorization: `Bearer ${people.get(role)?.key}` }), role).toBe('auth.forbidden');
    }
  });

  test('the rest is open to all, but for payment providers and devices, who sign', () => {
    const open = Object.entries<Route>(routes).filter(([, { access }]) => typeof access === 'string');
    expect(open.map(([name, { access }]) => `${access as string} ${name}`).toSorted()).toEqual([
      'device available',
      'device exchange',
      'device getObject',
      'device putObject',
      'device sendLogs',
      'probe health',
      'probe healthLive',
      'probe healthReady',
      'probe metrics',
      'probe openapi',
      'probe ready',
      'public createAccount',
      'public ledgerHead',
      'public redeemTicket',
      'public signIn',
      'webhook paymentWebhook',
    ]);
  });

  const signed = Object.entries<Route>(routes).filter(([, row]) => row.access === 'device');
  test.each(signed)('%s tells nobody but the device that signed it', async (_name, row) => {
    const { id } = await addDevice(scene, people.get('provider')!, row.path);
    const headers = {
      authorization: `Bearer ${people.get('provider')?.key}`,
      'assay-worker': id,
      'assay-request': newId('request', systemIds),
      'assay-sent-at': String(Date.now()),
      'assay-root': 'a'.repeat(64),
      'assay-signature': 'b'.repeat(128),
    };
    expect(await call(row, headers)).toBe('auth.bad_signature');
  });
});

describe('who sees what', () => {
  let scene: Scene;
  let owner: Person;
  let stranger: Person;
  let provider: Person;
  let auditor: Person;
  let jobId: string;
  let devices: Device[];

  beforeAll(async () => {
    scene = await openScene();
    owner = await scene.person('owner', ['customer']);
    stranger = await scene.person('stranger', ['customer', 'provider']);
    auditor = await scene.person('auditor', ['auditor']);
    provider = await scene.person('prov0', ['provider']);
    const others = [await scene.person('prov1', ['provider']), await scene.person('prov2', ['provider'])];
    devices = [];
    for (const person of [provider, ...others]) devices.push(await addDevice(scene, person, 'box'));
    jobId = (await createTestJob(owner)).id;
    await fund(scene, owner, { id: jobId });
    await workOff(devices, ({ ordinal }) => ({ 'out.txt': `${ordinal}` }));
  });
  afterAll(() => scene.close());

  const rows = Object.entries<Route>(routes).filter(([, row]) => row.path.startsWith('/jobs/:id'));
  test.each(rows)('%s tells a stranger that there is no such job', async (_name, row) => {
    const url = row.path.replace(':id', jobId).replace('*', 'out.txt');
    const body = { reason: 'mine now', method: 'instant' };
    const response = await fetch(`${scene.url}${url}`, {
      method: row.method,
      headers: {
        authorization: `Bearer ${stranger.key}`,
        'idempotency-key': `stranger-${row.path}`.replaceAll(/[^\w-]/g, '.'),
        ...(row.body ? { 'content-type': 'application/json' } : {}),
      },
      ...(row.body
        ? { body: JSON.stringify(row.path.endsWith('pay') ? { method: body.method } : { reason: body.reason }) }
        : {}),
    });
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 404,
      body: { code: 'job.not_found' },
    });
  });

  test('lists hold one’s own only', async () => {
    expect((await stranger.client.listJobs()).items).toEqual([]);
    expect((await stranger.client.listWorkers()).items).toEqual([]);
    expect((await owner.client.listJobs()).items.map((job) => job.id)).toEqual([jobId]);
    expect((await auditor.client.listJobs()).items.map((job) => job.id)).toEqual([jobId]);
    expect((await auditor.client.listWorkers()).items).toHaveLength(3);
  });

  test('a provider sees the jobs that it ran, its own replicas, and nothing of the customer’s side', async () => {
    const job = await provider.client.getJob(jobId);
    expect(job.price).toMatchObject({ charged: null, spent: null, refunded: null });
    const units = (await provider.client.listUnits(jobId)).items;
    expect(units.flatMap((unit) => unit.replicas.map((replica) => replica.workerId))).toEqual([
      devices[0]?.id,
      devices[0]?.id,
    ]);
    for (const read of [
      () => provider.client.listMoney(jobId),
      () => provider.client.getResults(jobId),
      () => provider.client.getReceipt(jobId),
      () => provider.client.getResultFile(jobId, '0000/out.txt'),
      () => provider.client.getResultsZip(jobId),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'job.not_found' });
    }
  });

  test('an auditor reads everything and changes nothing', async () => {
    expect((await auditor.client.getResults(jobId)).files).toHaveLength(2);
    expect((await auditor.client.listMoney(jobId)).items.length).toBeGreaterThan(0);
    await expect(auditor.client.payJob(jobId)).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(auditor.client.disputeJob(jobId, 'x')).rejects.toMatchObject({ code: 'auth.forbidden' });
  });

  test('a device may not pose as another’s', async () => {
    const [first, second] = devices;
    const { publicKey } = (await provider.client.listWorkers()).items[0] ?? { publicKey: '' };
    const machine = { arch: 'x64', os: 'linux', cpuCores: 1, memoryGb: 1, slots: 1, runners: [] };
    await expect(stranger.client.createWorker({ publicKey, name: 'stolen', machine })).rejects.toMatchObject({
      code: 'worker.exists',
    });
    expect(await provider.client.createWorker({ publicKey, name: 'box', machine })).toEqual({ workerId: first?.id });
    expect(second?.id).not.toBe(first?.id);
  });

  test.each(Object.entries<Route>(routes).filter(([, row]) => typeof row.access === 'object'))(
    '%s wants somebody who is signed in',
    async (_name, row) => {
      const url = row.path.replace(/:id/, 'job_00000000000070008000000000000000').replace('*', 'x');
      const response = await fetch(`${scene.url}${url}`, { method: row.method });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'auth.required' });
    },
  );
});
