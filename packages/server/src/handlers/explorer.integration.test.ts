import { createClient, type BlockLine, type LedgerTransaction } from '@assay/client';
import { merkleRoot, utf8 } from '@assay/core';
import { verifyBlock, verifyProof } from '@assay/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestJob, openScene, sha256, type Person, type Scene } from '../market-scene.setup.ts';

const workerId = `wrk_${'7'.repeat(32)}`;

/** The first transaction of the newest block. */
async function ofNewest(person: Person): Promise<LedgerTransaction> {
  const { block } = await person.client.ledgerHead();
  return person.client.getTransactionAt(block, '0');
}

async function take(person: Person, count: number, after: string): Promise<BlockLine[]> {
  const seen: BlockLine[] = [];
  for await (const block of person.client.newBlocks({ after })) {
    seen.push(block);
    if (seen.length === count) break;
  }
  return seen;
}

describe('the explorer', () => {
  let scene: Scene;
  let customer: Person;
  let operator: Person;
  let jobId: string;

  beforeAll(async () => {
    scene = await openScene();
    customer = await scene.person('carol', ['customer']);
    operator = await scene.person('oscar', ['operator']);
    jobId = (await createTestJob(customer)).id;
    await scene.settle();
    await record(jobId, 2);
  });
  afterAll(() => scene.close());

  /** Something happens on the ledger. */
  async function record(job: string, replicas: number): Promise<string> {
    const args = [workerId, 'true', JSON.stringify({ job, replicas })];
    return (await operator.client.invoke({ contract: 'Reputation', fn: 'recordResult', args })).block;
  }
  test('pages through blocks, and each hashes and is signed as it says', async () => {
    const head = await customer.client.ledgerHead();
    expect(await (await fetch(`${scene.url}/ledger/head`)).json()).toMatchObject({ block: head.block });
    const newest = await customer.client.listBlocks({ limit: 1 });
    expect(newest.items[0]?.number).toBe(head.block);
    const older = await customer.client.listBlocks({ after: newest.next ?? '' });
    expect(older.items[0]?.hash).toBe(newest.items[0]?.previousHash);
    const block = await customer.client.getBlock(head.block);
    expect(verifyBlock(block, { ledgerKeys: [head.publicKey] })).toMatchObject({ ok: true });
    expect(block).toMatchObject({ ...newest.items[0], ordered: null, genesis: null });
    const genesis = await customer.client.getBlock('0');
    expect(genesis.genesis).toMatchObject({
      channel: 'public-marketplace',
      organizations: expect.arrayContaining(['PlatformMSP']) as string[],
    });
    expect((await customer.client.listTransactions('0')).items).toEqual([]);
  });

  test('shows transactions by place and by id, and the names of members only to the platform’s people', async () => {
    const seen = await ofNewest(operator);
    expect(seen).toMatchObject({
      contract: 'Reputation',
      fn: 'recordResult',
      args: [workerId, 'true', expect.any(String)],
      jobId,
      creator: { mspId: 'PlatformMSP', name: operator.account },
      code: 0,
      facts: [{ name: 'ResultRecorded', payload: { job: jobId, worker: workerId } }],
      provable: true,
      signature: { state: 'valid', value: expect.stringMatching(/^[0-9a-f]{128}$/) as string },
    });
    expect(await customer.client.getTransaction(seen.txId)).toEqual({
      ...seen,
      creator: { ...seen.creator, name: null },
    });
    const { items, next } = await customer.client.listTransactions(seen.block, { limit: 1 });
    expect(items).toMatchObject([{ txId: seen.txId, index: 0, facts: ['ResultRecorded'] }]);
    expect(next).toBeNull();
  });

  test('names the root over batched facts', async () => {
    const { ledger } = scene.running;
    const call = { contract: 'Contract', fn: 'activateContract', args: [jobId] } as const;
    const submission = { ...call, idempotencyKey: 'batched', leaves: ['one', 'two', 'three'] };
    const as = { mspId: 'PlatformMSP', name: 'batcher', roles: ['orchestrator'] };
    const [outcome] = await ledger.submit([submission], as);
    expect(outcome).toMatchObject({ kind: 'committed' });
    const { leaves, signature } = await ofNewest(customer);
    expect([leaves?.count, signature.state]).toEqual([3, 'valid']);
    expect(leaves?.root).toBe(merkleRoot(sha256, ['one', 'two', 'three'].map(utf8)));
    await record(jobId, 1);
  });

  test('gives proofs that verify offline as they come', async () => {
    const { txId } = await ofNewest(customer);
    const text = await customer.client.getProofText(txId);
    const { publicKey } = await customer.client.ledgerHead();
    expect(verifyProof(text, { ledgerKeys: [publicKey] })).toMatchObject({ ok: true, summary: { txId } });
  });

  test('pages through facts, of all jobs and of one', async () => {
    const { items, next } = await customer.client.listLedgerFacts({ limit: 1 });
    expect(items).toMatchObject([{ name: 'ResultRecorded' }]);
    const older = await customer.client.listLedgerFacts({ after: next ?? '', job: jobId });
    expect(older.items.at(-1)).toMatchObject({ contract: 'Marketplace', name: 'ContractListed' });
    expect((await customer.client.listLedgerFacts({ job: `job_${'0'.repeat(32)}` })).items).toEqual([]);
  });

  test('tells a worker’s record after each change', async () => {
    await record(jobId, 3);
    const { items, next } = await customer.client.workerHistory(workerId, { limit: 1 });
    expect(items).toMatchObject([{ jobId, counters: { agreed: 6, disagreed: 0, lost: 0, slashed: 0 } }]);
    const older = await customer.client.workerHistory(workerId, { after: next ?? '' });
    expect(older.items.map((item) => item.counters?.agreed)).toEqual([3, 2]);
    expect((await customer.client.workerHistory(`wrk_${'0'.repeat(32)}`)).items).toEqual([]);
  });

  test('finds what a text names', async () => {
    const { txId, block } = await ofNewest(customer);
    expect(await customer.client.searchLedger(` ${block} `)).toEqual({ kind: 'block', id: block });
    expect(await customer.client.searchLedger(txId)).toEqual({ kind: 'transaction', id: txId });
    expect(await customer.client.searchLedger(jobId)).toEqual({ kind: 'job', id: jobId });
    expect(await customer.client.searchLedger(workerId)).toEqual({ kind: 'worker', id: workerId });
    await expect(customer.client.searchLedger('nothing')).rejects.toMatchObject({ code: 'ledger.not_found' });
  });

  test.each([
    ['/ledger/blocks/99999', 404, 'ledger.not_found'],
    ['/ledger/blocks/9999999999999999999', 404, 'ledger.not_found'],
    ['/ledger/blocks/-1', 400, 'request.malformed'],
    ['/ledger/blocks?after=9999999999999999999', 404, 'ledger.not_found'],
    ['/ledger/blocks?limit=0', 400, 'request.malformed'],
    ['/ledger/blocks?limit=1e9', 400, 'request.malformed'],
    ['/ledger/blocks/99999/transactions', 404, 'ledger.not_found'],
    ['/ledger/blocks/1/transactions?after=-1', 400, 'request.malformed'],
    ['/ledger/blocks/1/transactions/999999999', 404, 'ledger.not_found'],
    ['/ledger/blocks/1/transactions/9999999999', 400, 'request.malformed'],
    [`/ledger/transactions/${'0'.repeat(64)}`, 404, 'ledger.not_found'],
    [`/ledger/transactions/${'F'.repeat(64)}`, 400, 'request.malformed'],
    ['/ledger/facts?job=job_1', 400, 'request.malformed'],
    ['/ledger/facts?after=x', 400, 'request.malformed'],
    ['/ledger/workers/wrk_1/history', 400, 'request.malformed'],
    [`/ledger/workers/wrk_${'0'.repeat(32)}/history?after=1`, 400, 'request.malformed'],
    ['/ledger/search', 400, 'request.malformed'],
    ['/ledger/search?q=', 400, 'request.malformed'],
    [`/ledger/search?q=${'9'.repeat(101)}`, 400, 'request.malformed'],
    ['/ledger/search?q=%00', 400, 'request.malformed'],
    [`/ledger/proofs/${'0'.repeat(64)}`, 404, 'ledger.not_found'],
    ['/ledger/events?after=x', 400, 'request.malformed'],
    ['/ledger/events?after=9999999999999999999', 404, 'ledger.not_found'],
  ])('answers %s with %i', async (path, status, code) => {
    const response = await fetch(`${scene.url}${path}`, { headers: { authorization: `Bearer ${customer.key}` } });
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  test('is for those who are signed in', async () => {
    for (const path of ['/ledger/blocks', '/ledger/facts', '/ledger/events', '/ledger/search?q=0']) {
      expect((await fetch(`${scene.url}${path}`)).status).toBe(401);
    }
  });

  describe('live', () => {
    const opened = (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = new AbortController();
      const onState = (state: 'open' | 'closed'): void => (state === 'open' ? resolve() : undefined);
      const listen = async (): Promise<void> => {
        for await (const block of customer.client.newBlocks({ signal: stop.signal, onState })) live.push(block);
      };
      void listen();
      stops.push(stop);
      return promise;
    };
    const live: BlockLine[] = [];
    const stops: AbortController[] = [];

    test('tells of new blocks in order, also of several watchers’', async () => {
      await Promise.all([opened(), opened()]);
      const numbers = [await record(jobId, 1), await record(jobId, 1)];
      await expect
        .poll(() => live.map((block) => block.number).toSorted())
        .toEqual([...numbers, ...numbers].toSorted());
      expect(live[0]).toMatchObject({ txCount: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
      for (const stop of stops) stop.abort();
    });

    test('resumes after a block without gap, also when nobody watched in between', async () => {
      const { block } = await customer.client.ledgerHead();
      const all = await take(customer, Number(block), '0');
      expect(all.map((one) => Number(one.number))).toEqual(Array.from({ length: Number(block) }, (_, at) => at + 1));
      const [taken, next] = await Promise.all([take(customer, 1, block), record(jobId, 1)]);
      expect(taken).toMatchObject([{ number: next }]);
    });

    test('refuses a key that is none', async () => {
      const stranger = createClient({ baseUrl: scene.url, auth: { kind: 'apiKey', key: 'ask_no' } });
      const stream = stranger.newBlocks();
      await expect(stream.next()).rejects.toMatchObject({ code: 'auth.wrong_credentials' });
    });
  });
});

describe('the explorer on a private channel', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({}, { channel: 'private-science' });
  });
  afterAll(() => scene.close());

  test('shows nothing of the chain to anybody, whatever their roles', async () => {
    const everything = await scene.person('omar', ['customer', 'provider', 'operator', 'arbiter', 'auditor']);
    const job = await createTestJob(everything);
    await scene.settle();
    const txId = (await everything.client.listFacts(job.id)).items[0]?.txId;
    const paths = [
      '/ledger/blocks',
      '/ledger/blocks/1',
      '/ledger/blocks/1/transactions',
      '/ledger/blocks/1/transactions/0',
      `/ledger/transactions/${txId}`,
      '/ledger/facts',
      `/ledger/facts?job=${job.id}`,
      `/ledger/workers/${workerId}/history`,
      '/ledger/search?q=1',
      `/ledger/proofs/${txId}`,
      '/ledger/events',
    ];
    for (const path of paths) {
      const response = await fetch(`${scene.url}${path}`, { headers: { authorization: `Bearer ${everything.key}` } });
      expect([path, response.status, ((await response.json()) as { code: string }).code]).toEqual([
        path,
        403,
        'ledger.private',
      ]);
    }
    // The signed head holds hashes only.
    expect((await fetch(`${scene.url}/ledger/head`)).status).toBe(200);
  });
});
