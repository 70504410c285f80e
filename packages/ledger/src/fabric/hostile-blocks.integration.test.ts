/** What any member can get into a block must be stored: a block that is refused would come again for ever. */

import { createHash } from 'node:crypto';
import type { TransactionRecord } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerKeyFromSeed } from '../keys.ts';
import { insertBlock, lockHead } from '../ledger-rows.ts';
import { checkCreators } from '../verify-ledger.ts';
import { authorityOf, blockOf, envelopeOf, memberUnder, type EnvelopeParts } from './blocks.setup.ts';
import { decodeBlock } from './decode-block.ts';
import { mirrorBlock } from './mirror-block.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32));
const { certificate } = memberUnder(authorityOf('WorkerMSP'), 'client');

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Writes a block of these transactions and gives what stands in the table. */
async function stored(parts: readonly EnvelopeParts[], codes: readonly number[]) {
  return database.db.transaction(async (tx) => {
    const head = await lockHead(tx);
    const number = Number(head.nextBlock);
    const block = decodeBlock(blockOf(number, new Uint8Array(32), parts.map(envelopeOf), codes), 'assay');
    await insertBlock(tx, mirrorBlock(head, block!, key), head.nextFact);
    const rows = await tx.query<{ transaction: string }>(
      'SELECT transaction FROM ledger_tx WHERE block = $1 ORDER BY tx_index',
      [head.nextBlock],
    );
    return rows.map((row) => JSON.parse(row.transaction) as TransactionRecord);
  });
}

const id = (digit: string): string => digit.repeat(64);
const noted = (mspId: string, text: string) => [[`\0done\0${mspId}\0${text}\0`, '{}'] as const];

test('two votes under keys that only begin alike are two', async () => {
  const votes = ['k\0b', 'k\0c', 'k'].map((text, index) => ({
    txId: id(String(index)),
    writes: noted('WorkerMSP', text),
  }));
  const records = await stored(votes, [0, 0, 0]);
  expect(new Set(records.map((record) => record.key)).size).toBe(3);
});

test('a platform’s key with a zero byte is stored', async () => {
  const [record] = await stored([{ txId: id('3'), writes: noted('PlatformMSP', 'k\0b') }], [0]);
  expect(record?.key).toMatch(/^PlatformMSP\/[0-9a-f]{64}$/);
});

test('a certificate with a tail is stored without it, under its own hash', async () => {
  const creators = [certificate, `${certificate}\0tail`, '\0', Uint8Array.from([0xff, 0xfe])];
  const records = await stored(
    creators.map((creator, index) => ({ txId: `a${index}`.padEnd(64, '0'), creator })),
    [0, 10, 10, 10],
  );
  const [own, ...others] = records.map((record) => record.creator.certificate);
  expect(own).toMatch(/^[0-9a-f]{64}$/);
  expect(others).toEqual([own, '', '']);
  const problems: [] = [];
  expect((await checkCreators(database.db, problems)).get(own!)?.certificate).toBe(certificate);
  expect(problems).toEqual([]);
});

test.each<[string, Partial<EnvelopeParts>]>([
  ['an organisation with a zero byte', { mspId: 'Worker\0MSP', creator: certificate }],
  ['arguments with zero bytes', { args: ['Marketplace:\0', '\0'.repeat(100_000)] }],
  ['a version that no number holds', { sawBlock: 2 ** 63 }],
  ['a time stamp after all time', { seconds: 2 ** 60 }],
  ['a time stamp before all time', { seconds: -(2 ** 60) }],
  ['an id that is none', { txId: `\0${'x'.repeat(9000)}` }],
])('%s does not stop the mirror', async (_, parts) => {
  const [record] = await stored([{ txId: id('b'), ...parts }], [10]);
  expect(record?.code).toBe(10);
  expect(new Date(record!.atMs).toISOString()).toMatch(/^\d{4}-/);
});

test.each([
  ['listContract', 'Marketplace', 'listContract'],
  [':listContract', 'Marketplace', 'listContract'],
  ['Contract:a:b', 'Contract', 'a:b'],
  ['Contract:verifyWork\nlistContract', 'Contract', 'verifyWork'],
])('%j runs %s.%s, as on a peer', async (target, contract, fn) => {
  expect(await stored([{ txId: id('c'), args: [target, 'x'] }], [10])).toMatchObject([{ contract, fn, args: ['x'] }]);
});

test('a call of the contracts counts as one whatever its proposal calls them', async () => {
  const writes = [['some', 'value']] as const;
  await stored([{ txId: id('d'), specChaincode: 'other', writes }], [0]);
  await stored([{ txId: id('e'), chaincode: 'other', specChaincode: 'assay', writes: [['none', 'x']] }], [0]);
  const rows = await database.db.query<{ key: Buffer }>('SELECT key FROM ledger_state WHERE key = ANY ($1)', [
    [Buffer.from('some'), Buffer.from('none')],
  ]);
  expect(rows.map((row) => row.key.toString())).toEqual(['some']);
});

test('a key that is written twice in one transaction has one change', async () => {
  const writes = [['twice', 'a'] as const, ['twice', 'b'] as const];
  await stored([{ txId: id('f'), writes }], [0]);
  const rows = await database.db.query('SELECT FROM ledger_history WHERE key = $1', [Buffer.from('twice')]);
  expect(rows.length).toBe(1);
});

test.each([
  ['zero bytes', 'a\0b', '\0'],
  ['a job with a zero byte', 'Named', '{"job":"\\u0000"}'],
  ['a job too long to be found', 'Named', JSON.stringify({ job: 'x'.repeat(9000) })],
])('an event of %s is a fact', async (_, name, payload) => {
  const txId = createHash('sha256').update(name).update(payload).digest('hex');
  await stored([{ txId, event: [name, payload] }], [0]);
  expect(await database.db.query('SELECT job FROM ledger_fact WHERE tx_id = $1', [txId])).toEqual([{ job: null }]);
});
