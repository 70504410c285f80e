import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestJob, openScene, type Person, type Scene } from '../market-scene.setup.ts';

describe('the ledger’s gateway', () => {
  let scene: Scene;
  let customer: Person;
  let operator: Person;
  let arbiter: Person;
  let auditor: Person;
  let jobId: string;

  beforeAll(async () => {
    scene = await openScene();
    customer = await scene.person('carol', ['customer']);
    operator = await scene.person('oscar', ['operator']);
    arbiter = await scene.person('arthur', ['arbiter']);
    auditor = await scene.person('audrey', ['auditor']);
    jobId = (await createTestJob(customer)).id;
    await scene.settle();
  });
  afterAll(() => scene.close());

  const getContract = { contract: 'Contract', fn: 'getContract' } as const;

  test('answers queries of those who may look', async () => {
    for (const person of [operator, arbiter, auditor]) {
      const { result } = await person.client.query({ ...getContract, args: JSON.stringify([jobId]) });
      expect(result).toContain(jobId);
    }
    await expect(customer.client.query({ ...getContract, args: JSON.stringify([jobId]) })).rejects.toMatchObject({
      code: 'auth.forbidden',
    });
  });

  test.each([
    ['{}', 'request.malformed'],
    ['[1]', 'request.malformed'],
    ['nonsense', 'request.malformed'],
    ['["job_unknown"]', 'request.malformed'],
    [`["job_${'0'.repeat(32)}"]`, 'job.not_found'],
  ])('refuses the arguments %s with %s', async (args, code) => {
    await expect(auditor.client.query({ ...getContract, args })).rejects.toMatchObject({ code });
  });

  test('refuses functions that are not there', async () => {
    await expect(auditor.client.query({ contract: 'Contract', fn: 'nothing' })).rejects.toMatchObject({
      code: 'ledger.unknown_function',
    });
  });

  test('submits for operators, once per key, with a line in the audit log', async () => {
    const call = { contract: 'Contract', fn: 'activateContract', args: [jobId] } as const;
    const key = { idempotencyKey: 'activate-this-job' };
    const first = await operator.client.invoke(call, key);
    expect(await operator.client.invoke(call, key)).toEqual(first);
    const lines = await scene.database.db.query<{ actor: string; ref: string }>(
      `SELECT actor, ref FROM audit_log WHERE action = 'ledger.invoke'`,
    );
    expect(lines).toEqual([{ actor: operator.account, ref: 'Contract.activateContract' }]);
    const { result } = await auditor.client.query({ ...getContract, args: JSON.stringify([jobId]) });
    expect(JSON.parse(result)).toMatchObject({ state: 'FUNDED' });
  });

  test('lets nobody write who may only look, and no role sign what is another’s', async () => {
    const call = { contract: 'Contract', fn: 'activateContract', args: [jobId] } as const;
    await expect(auditor.client.invoke(call)).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(customer.client.invoke(call)).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(arbiter.client.invoke(call)).rejects.toMatchObject({ code: 'ledger.refused' });
    const ruling = { contract: 'Contract', fn: 'resolveDispute', args: [jobId, 'COMPLETED', '0'.repeat(64)] } as const;
    await expect(arbiter.client.invoke(ruling)).rejects.toMatchObject({
      code: 'ledger.refused',
      message: expect.stringContaining('/disputes/') as string,
    });
  });
});

describe('webhooks', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());
  const deliver = async (region: string, raw: Uint8Array | string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${scene.url}/payment/webhook/${region}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: raw as BodyInit,
    });
    return { status: response.status, body: (await response.json()) as { code?: string; received?: boolean } };
  };
  const inbox = async (): Promise<number> => (await scene.database.db.query('SELECT 1 FROM inbox')).length;

  test('are stored once, byte for byte, when they verify', async () => {
    const customer = await scene.person('carol', ['customer']);
    const job = await createTestJob(customer);
    await customer.client.payJob(job.id, { method: 'instant' });
    const [delivery] = scene.bank.deliveries;
    expect(delivery).toBeDefined();
    if (!delivery) return;
    expect(await deliver('eu', delivery.raw, delivery.headers)).toEqual({ status: 200, body: { received: true } });
    expect(await deliver('eu', delivery.raw, delivery.headers)).toMatchObject({ status: 200 });
    expect(await inbox()).toBe(1);
    await scene.settle();
    expect(await customer.client.getJob(job.id)).toMatchObject({ state: 'funded' });
    const forged = new Uint8Array(delivery.raw);
    forged[5] = (forged[5] ?? 0) ^ 1;
    expect(await deliver('eu', forged, delivery.headers)).toMatchObject({
      status: 400,
      body: { code: 'webhook.unverified' },
    });
  });

  test.each([
    ['eu', '{}', 'webhook.unverified'],
    ['eu', '', 'webhook.unverified'],
    ['ru', '{}', 'payment.region_unavailable'],
    ['mars', '{}', 'request.malformed'],
    ['constructor', '{}', 'request.malformed'],
    ['eu', 'x'.repeat(300_000), 'request.too_large'],
  ])('for %s with a bad body are refused', async (region, raw, code) => {
    const before = await inbox();
    expect((await deliver(region, raw)).body).toMatchObject({ code });
    expect(await inbox()).toBe(before);
  });

  test('of any content type arrive as bytes', async () => {
    const form = await deliver('eu', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(form.body).toMatchObject({ code: 'webhook.unverified' });
  });
});
