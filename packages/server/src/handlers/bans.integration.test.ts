import { afterAll, beforeAll, expect, test } from 'vitest';
import { addDevice, createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';

let scene: Scene;
let operator: Person;
let customer: Person;
beforeAll(async () => {
  scene = await openScene();
  operator = await scene.person('olga', ['operator']);
  customer = await scene.person('carol', ['customer']);
});
afterAll(() => scene.close());

const reason = 'tried to leave the sandbox';

test('a banned account neither orders nor pays, is told why, and may again when the ban is lifted', async () => {
  const job = await createTestJob(customer);
  await operator.client.ban({ subject: customer.account, reason });
  const refused = { code: 'account.banned', message: expect.stringContaining(reason) };
  await expect(createTestJob(customer)).rejects.toMatchObject(refused);
  await expect(customer.client.payJob(job.id)).rejects.toMatchObject(refused);
  expect((await operator.client.listBans()).items).toMatchObject([{ subject: customer.account, reason }]);
  expect(await customer.client.getJob(job.id)).toMatchObject({ id: job.id });
  await operator.client.liftBan({ subject: customer.account, reason: 'it was a mistake' });
  expect((await operator.client.listBans()).items).toEqual([]);
  expect(await createTestJob(customer)).toBeDefined();
  const audit = await scene.database.db.query('SELECT actor, action, data FROM audit_log WHERE ref = $1 ORDER BY id', [
    customer.account,
  ]);
  expect(audit).toEqual([
    { actor: operator.account, action: 'ban.add', data: { reason } },
    { actor: operator.account, action: 'ban.lift', data: { reason: 'it was a mistake' } },
  ]);
});

test('a banned worker gets no work', async () => {
  const outcast = await addDevice(scene, await scene.person('eve', ['provider']), 'box');
  await operator.client.ban({ subject: outcast.id, reason });
  await expect(outcast.work.available()).rejects.toMatchObject({ code: 'worker.banned' });
});

test('only operators ban and lift, and nobody who is not there', async () => {
  const body = { subject: customer.account, reason };
  await expect(customer.client.ban(body)).rejects.toMatchObject({ code: 'auth.forbidden' });
  await expect(customer.client.liftBan(body)).rejects.toMatchObject({ code: 'auth.forbidden' });
  await expect(customer.client.listBans()).rejects.toMatchObject({ code: 'auth.forbidden' });
  await expect(operator.client.liftBan(body)).rejects.toMatchObject({ code: 'ban.not_found' });
  const nobody = { subject: `acc_${'9'.repeat(32)}`, reason };
  await expect(operator.client.ban(nobody)).rejects.toMatchObject({ code: 'account.not_found' });
  const noWorker = { subject: `wrk_${'9'.repeat(32)}`, reason };
  await expect(operator.client.ban(noWorker)).rejects.toMatchObject({ code: 'worker.not_found' });
  await expect(operator.client.ban({ ...body, subject: 'carol' })).rejects.toMatchObject({ code: 'request.malformed' });
});
