/** The explorer over a mirror of Fabric's blocks, which holds what an embedded chain never does. */

import { parseId, type TransactionRecord } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  blockDetail,
  channelOf,
  findOnLedger,
  historyOfWorker,
  listFacts,
  transactionAt,
  transactionById,
  transactionsOf,
} from './explorer.ts';
import { signatureOf } from './explorer-signature.ts';
import { compositeKey } from './composite-key.ts';
import type { DecodedBlock, DecodedTransaction } from './fabric/decode-block.ts';
import { mirrorBlock } from './fabric/mirror-block.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { insertBlock, lockHead } from './ledger-rows.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(3));
const member = {
  mspId: 'WorkerMSP',
  certificate: 'no certificate that anybody could read',
  fingerprint: 'c'.repeat(64),
};
const worker = parseId('worker', `wrk_${'a'.repeat(32)}`)!;
const job = parseId('job', `job_${'1'.repeat(32)}`)!;
const txId = 'd'.repeat(64);

const record: Omit<TransactionRecord, 'code'> = {
  txId,
  key: txId,
  contract: 'Reputation',
  fn: 'recordResult',
  args: [worker, 'true', '{}'],
  creator: { mspId: member.mspId, certificate: member.fingerprint },
  nonce: '00',
  atMs: 1_795_000_000_000,
  reads: [],
  ranges: [],
  writes: [[compositeKey('reputation', [worker]), '{"agreed":1}']],
  event: { name: 'ResultRecorded', payload: JSON.stringify([{ name: 'ResultRecorded', payload: { job, worker } }]) },
  result: '',
};
const configuration = { ...record, txId: 'e'.repeat(64), key: 'e'.repeat(64), contract: 'channel', fn: 'configure' };
const nothing = { args: [], writes: [], event: null };

const blocks: readonly (readonly DecodedTransaction[])[] = [
  [{ record: { ...configuration, ...nothing }, code: 0, member, isOurs: false }],
  [
    { record, code: 0, member, isOurs: true },
    // The same id once more, which Fabric does not count, and one whose endorsements do not suffice.
    { record, code: 9, member, isOurs: true },
    { record: { ...record, txId: 'f'.repeat(64) }, code: 10, member, isOurs: true },
  ],
];

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  for (const [number, transactions] of blocks.entries()) {
    const hash = String(number).repeat(64);
    const decoded: DecodedBlock = { number, hash, previousHash: hash, dataHash: hash, transactions };
    const genesis = { channel: 'public-marketplace', publicKey: key.publicKey, authorities: [] };
    await database.db.transaction(async (tx) => {
      const head = await lockHead(tx);
      const rows = mirrorBlock(head, decoded, key, number === 0 ? genesis : undefined);
      await insertBlock(tx, rows, head.nextFact);
    });
  }
});
afterAll(() => database.drop());

test('a block names Fabric’s own hashes, and its head is signed by the mirror', async () => {
  expect(await channelOf(database.db)).toBe('public-marketplace');
  const block = await blockDetail(database.db, 1n);
  expect(block.header).toMatchObject({ ordered: { hash: '1'.repeat(64) }, txCount: 3 });
  expect(block.head).toMatchObject({ block: 1n, blockHash: block.hash, publicKey: key.publicKey });
});

test('what does not count is shown at its place, without facts and without an id to find it by', async () => {
  const all = await transactionsOf(database.db, 1n, -1, 10);
  expect(all.map((one) => [one.record.code, one.isIdentified, one.facts.length, one.creatorName])).toEqual([
    [0, true, 1, null],
    [9, false, 0, null],
    [10, false, 0, null],
  ]);
  expect(await transactionAt(database.db, { block: 1n, txIndex: 2 })).toEqual(all[2]);
  expect(await transactionById(database.db, txId)).toEqual(all[0]);
  await expect(findOnLedger(database.db, 'f'.repeat(64))).rejects.toMatchObject({ code: 'ledger.not_found' });
  expect((await listFacts(database.db, job, null, 10)).map((fact) => fact.txIndex)).toEqual([0]);
});

test('a worker’s record holds only what counts', async () => {
  const changes = await historyOfWorker(database.db, worker, null, 10);
  expect(changes.map((change) => [change.txIndex, change.value])).toEqual([[0, '{"agreed":1}']]);
});

test('transactions of the channel itself are shown, and creators signed Fabric’s envelopes', async () => {
  const [configured] = await transactionsOf(database.db, 0n, -1, 10);
  expect(configured).toMatchObject({ record: { contract: 'channel', fn: 'configure' }, job: null, facts: [] });
  expect(await signatureOf(database.db, configured!.record)).toBe('elsewhere');
});
