import { platformMsp } from '@assay/contracts';
import { parseId, Refusal, type LedgerIdentity, type Submission, type WorkerId } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import {
  blockDetail,
  blocksAfter,
  channelOf,
  factsOfJob,
  findOnLedger,
  historyOfWorker,
  listBlocks,
  listFacts,
  transactionAt,
  transactionById,
  transactionsOf,
} from './explorer.ts';
import { blockHashOf } from './block.ts';
import { signatureOf } from './explorer-signature.ts';
import { ledgerKeyFromSeed } from './keys.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(1));
const as: LedgerIdentity = { mspId: platformMsp, name: 'platform', roles: ['orchestrator'] };
const worker = (digit: string): WorkerId => parseId('worker', `wrk_${digit.repeat(32)}`)!;
const job = parseId('job', `job_${'1'.repeat(32)}`)!;
const otherJob = parseId('job', `job_${'2'.repeat(32)}`)!;

let database: TestDatabase;
let ledger: EmbeddedLedger;
let serial = 0;
let channelBefore: string | null;
/** Blocks 1 and 2: two workers each, then one more of the first worker for another job. */
let blocks: bigint[];

const result = (id: string, about = job, replicas = 1): Submission => ({
  contract: 'Reputation',
  fn: 'recordResult',
  args: [id, 'true', JSON.stringify({ job: about, replicas })],
  idempotencyKey: `key ${(serial += 1)}`,
});

async function commit(...submissions: Submission[]): Promise<bigint> {
  const [outcome] = await ledger.submit(submissions, as);
  if (outcome?.kind !== 'committed') throw new Error('not committed');
  return outcome.block;
}

beforeAll(async () => {
  database = await testDatabase();
  channelBefore = await channelOf(database.db);
  ledger = await openEmbeddedLedger({ db: database.db, key });
  blocks = [await commit(result(worker('a')), result(worker('b'))), await commit(result(worker('a'), otherJob, 3))];
});
afterAll(() => database.drop());

describe('the explorer', () => {
  test('names the channel of the chain, once there is one', async () => {
    expect(channelBefore).toBeNull();
    expect(await channelOf(database.db)).toBe('public-marketplace');
  });

  test('lists blocks from the newest, and those after one from the oldest', async () => {
    const [one = 0n, two = 0n] = blocks;
    const newest = await listBlocks(database.db, null, 2);
    expect(newest.map((block) => block.number)).toEqual([two, one]);
    expect((await listBlocks(database.db, one, 5)).at(-1)?.header.genesis).toMatchObject({ publicKey: key.publicKey });
    expect((await blocksAfter(database.db, 0n, 5)).map((block) => block.number)).toEqual([one, two]);
    expect(await blocksAfter(database.db, two, 5)).toEqual([]);
  });

  test('shows a block whose header hashes to its hash, and its transactions in order', async () => {
    const [number = 0n] = blocks;
    const block = await blockDetail(database.db, number);
    expect(block).toMatchObject({ number, header: { txCount: 2 }, head: { block: number, blockHash: block.hash } });
    expect(blockHashOf(JSON.parse(block.headerText) as typeof block.header)).toBe(block.hash);
    await expect(blockDetail(database.db, 99n)).rejects.toThrow(Refusal);
    const all = await transactionsOf(database.db, number, -1, 10);
    expect(all.map((one) => [one.txIndex, one.record.args[0], one.job])).toEqual([
      [0, worker('a'), job],
      [1, worker('b'), job],
    ]);
    expect(all[0]).toMatchObject({ creatorName: 'platform', isIdentified: true, atMs: block.header.atMs });
    expect(all[0]?.facts.map((fact) => fact.name)).toEqual(['ResultRecorded']);
    expect(await transactionsOf(database.db, number, 0, 10)).toEqual(all.slice(1));
    expect(await transactionAt(database.db, { block: number, txIndex: 1 })).toEqual(all[1]);
    expect(await transactionById(database.db, all[1]!.record.txId)).toEqual(all[1]);
    await expect(transactionAt(database.db, { block: number, txIndex: 2 })).rejects.toThrow(Refusal);
    await expect(transactionById(database.db, '0'.repeat(64))).rejects.toThrow(Refusal);
  });

  test('tells whether a transaction bears its creator’s signature', async () => {
    const [one, two] = await transactionsOf(database.db, blocks[0] ?? 0n, -1, 2);
    const { record } = one!;
    expect(await signatureOf(database.db, record)).toBe('valid');
    const { signature: _, ...unsigned } = record;
    for (const forged of [
      { ...record, signature: two!.record.signature ?? '' },
      { ...record, signature: 'no hex' },
      { ...record, args: [...record.args, 'more'] },
      { ...record, creator: { ...record.creator, mspId: 'WorkerMSP' } },
      { ...record, creator: { ...record.creator, certificate: '0'.repeat(64) } },
      unsigned,
    ]) {
      expect(await signatureOf(database.db, forged)).toBe('invalid');
    }
  });

  test('lists facts from the newest, of all jobs and of one, and pages them', async () => {
    const facts = await listFacts(database.db, null, null, 10);
    expect(facts.map((fact) => fact.position)).toEqual([3n, 2n, 1n]);
    expect(await listFacts(database.db, null, 2n, 10)).toEqual(facts.slice(2));
    expect((await listFacts(database.db, job, null, 10)).map((fact) => fact.position)).toEqual([2n, 1n]);
    expect((await listFacts(database.db, job, 2n, 10)).map((fact) => fact.position)).toEqual([1n]);
    expect((await factsOfJob(database.db, job, 1n, 10)).map((fact) => fact.position)).toEqual([2n]);
  });

  test('tells a worker’s record after each change, page by page', async () => {
    const changes = await historyOfWorker(database.db, worker('a'), null, 10);
    expect(changes.map((one) => [one.job, (JSON.parse(one.value ?? '') as { agreed: number }).agreed])).toEqual([
      [otherJob, 4],
      [job, 1],
    ]);
    const [newest] = changes;
    expect(await historyOfWorker(database.db, worker('a'), newest!, 10)).toEqual(changes.slice(1));
    expect(await historyOfWorker(database.db, worker('c'), null, 10)).toEqual([]);
  });

  test('finds what a text names', async () => {
    const [number = 0n] = blocks;
    const { hash } = await blockDetail(database.db, number);
    const [transaction] = await transactionsOf(database.db, number, -1, 1);
    const txId = transaction!.record.txId;
    for (const [text, found] of [
      ['0', { kind: 'block', id: '0' }],
      [hash, { kind: 'block', id: number.toString() }],
      [txId, { kind: 'transaction', id: txId }],
      [job, { kind: 'job', id: job }],
      [worker('b'), { kind: 'worker', id: worker('b') }],
    ] as const) {
      expect(await findOnLedger(database.db, text)).toEqual(found);
    }
    const missing = [
      '99',
      '9'.repeat(19),
      '-1',
      'f'.repeat(64),
      worker('c'),
      `job_${'9'.repeat(32)}`,
      'job_1',
      '',
      "'; DROP TABLE ledger_tx",
      '\u{1f600}',
    ];
    for (const text of missing) {
      await expect(findOnLedger(database.db, text)).rejects.toMatchObject({ code: 'ledger.not_found' });
    }
  });
});
