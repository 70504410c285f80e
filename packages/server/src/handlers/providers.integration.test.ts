/** Devices of an account: how many there may be, and how one is taken away. */

import { limits } from '@assay/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addDevice, openScene, type Person, type Scene } from '../market-scene.setup.ts';

let scene: Scene;
let owner: Person;
let stranger: Person;

beforeAll(async () => {
  scene = await openScene();
  owner = await scene.person('farm', ['provider']);
  stranger = await scene.person('stranger', ['provider']);
});
afterAll(() => scene.close());

test('an account that has as many devices as it may is told what to do, and one that was removed makes room', async () => {
  const first = await addDevice(scene, owner, 'first');
  await scene.database.db.query(
    `INSERT INTO worker (id, owner_id, public_key, name, machine, region)
     SELECT 'wrk_' || lpad(to_hex(n), 32, '0'), $1, lpad(to_hex(n), 64, '0'), 'one of many', '{}', 'eu'
     FROM generate_series(2, $2) AS n`,
    [owner.account, limits.workersPerAccount],
  );
  await expect(addDevice(scene, owner, 'one too many')).rejects.toMatchObject({
    code: 'worker.too_many',
    status: 409,
    message: expect.stringContaining('assay workers remove') as string,
  });
  await addDevice(scene, stranger, 'of another account');
  await owner.client.removeWorker(first.id);
  await addDevice(scene, owner, 'in its place');
});

test('a removed device is gone from the list, may do nothing, and its key brings it not back', async () => {
  const device = await addDevice(scene, stranger, 'lost laptop');
  await expect(owner.client.removeWorker(device.id)).rejects.toMatchObject({ code: 'worker.not_found' });
  const listed = (await stranger.client.listWorkers()).items.find(({ id }) => id === device.id);
  await stranger.client.removeWorker(device.id);
  await expect(stranger.client.removeWorker(device.id)).rejects.toMatchObject({ code: 'worker.not_found' });
  expect((await stranger.client.listWorkers()).items.map(({ name }) => name)).toEqual(['of another account']);
  await expect(device.exchange({ claim: 1 })).rejects.toMatchObject({ code: 'worker.not_found' });
  await expect(device.work.available()).rejects.toMatchObject({ code: 'worker.not_found' });
  const { publicKey, machine } = listed!;
  const again = { publicKey, name: 'lost laptop', machine };
  await expect(stranger.client.createWorker(again)).rejects.toMatchObject({ code: 'worker.removed' });
});

test('an account that has as many API keys as it may is told what to do', async () => {
  const keyed = await scene.person('keyed', ['customer']);
  for (let made = 1; made < limits.apiKeysPerAccount; made += 1) {
    await keyed.client.createApiKey({ name: `k${made}`, scopes: ['jobs:read'] });
  }
  const more = { name: 'one too many', scopes: ['jobs:read' as const] };
  await expect(keyed.client.createApiKey(more)).rejects.toMatchObject({
    code: 'api_key.too_many',
    status: 409,
    message: expect.stringContaining('assay keys revoke') as string,
  });
  const oldest = (await keyed.client.listApiKeys()).items.find(({ name }) => name === 'k1');
  await keyed.client.deleteApiKey(oldest!.id);
  await keyed.client.createApiKey(more);
});
