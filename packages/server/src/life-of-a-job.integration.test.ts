import { beforeAll, afterAll, expect, test, describe } from 'vitest';
import {
  addDevice,
  createTestJob,
  openScene,
  workOff,
  type Device,
  type Person,
  type Scene,
} from './market-scene.setup.ts';

describe('a job over HTTP, from upload to payout', () => {
  let scene: Scene;
  let customer: Person;
  let devices: Device[];

  beforeAll(async () => {
    scene = await openScene({ ASSAY_CHALLENGE_WINDOW: '1ms' });
    customer = await scene.person('carol', ['customer']);
    devices = [];
    for (const name of ['ann', 'bob', 'cid', 'dan']) {
      const owner = await scene.person(name, ['provider']);
      await owner.client.createPayoutAccount({ region: 'eu' });
      devices.push(await addDevice(scene, owner, `${name}-box`));
    }
  });
  afterAll(() => scene.close());

  test('is quoted, created, paid, run, verified, settled and proven', async () => {
    const created = await createTestJob(customer);
    expect(created).toMatchObject({ state: 'created', name: 'test', counts: { units: 2 }, payment: null });
    expect(created.quote).toMatchObject({ units: 2, redundancy: 3, replicas: 6 });
    const payment = await customer.client.payJob(created.id, { method: 'instant' });
    expect(payment).toMatchObject({ jobId: created.id, provider: 'memory' });
    await scene.settle();
    expect(await customer.client.getJob(created.id)).toMatchObject({ state: 'funded' });
    const liar = devices[3];
    await workOff(devices, ({ ordinal }, device) => ({ 'out.txt': device === liar ? 'lie' : `result ${ordinal}\n` }));
    expect(await customer.client.getJob(created.id)).toMatchObject({ state: 'verified', counts: { agreed: 2 } });
    await scene.settle();
    scene.bank.settle();
    await scene.settle();
    const job = await customer.client.getJob(created.id);
    expect(job.state).toBe('completed');
    const { charged, spent, refunded } = job.price;
    expect(BigInt(spent?.minor ?? 0) + BigInt(refunded?.minor ?? 0)).toBeLessThanOrEqual(BigInt(charged?.minor ?? 0));

    const units = await customer.client.listUnits(created.id);
    expect(units.items.map((unit) => unit.state)).toEqual(['agreed', 'agreed']);
    const results = await customer.client.getResults(created.id);
    expect(results.files.map((file) => file.path)).toEqual(['0000/out.txt', '0001/out.txt']);
    const file = await new Response(await customer.client.getResultFile(created.id, '0001/out.txt')).text();
    expect(file).toBe('result 1\n');
    const zip = new Uint8Array(await new Response(await customer.client.getResultsZip(created.id)).arrayBuffer());
    expect(Buffer.from(zip.subarray(0, 4)).toString('latin1')).toBe('PK\u0003\u0004');
    const money = await customer.client.listMoney(created.id);
    expect(money.items.length).toBeGreaterThan(3);
    const facts = await customer.client.listFacts(created.id);
    expect(facts.items.length).toBeGreaterThan(4);
    const receipt = await customer.client.getReceipt(created.id);
    expect(JSON.stringify(receipt)).toContain(created.id);
  });
});
