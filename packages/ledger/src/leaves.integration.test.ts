import { platformMsp } from '@assay/contracts';
import {
  limits,
  utf8,
  verifyMerklePath,
  type LedgerIdentity,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { benchLeaves } from './bench-leaves.ts';
import { sha256 } from './block.ts';
import { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { signProposal } from './proposal.ts';
import { verifyLedger } from './verify-ledger.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(4));
const as: LedgerIdentity = { mspId: platformMsp, name: 'platform', roles: ['orchestrator'] };

let database: TestDatabase;
let ledger: EmbeddedLedger;
let serial = 0;
beforeAll(async () => {
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key });
});
afterAll(() => database.drop());

const carrying = (leaves: readonly string[]): Submission => {
  serial += 1;
  const id = String(serial).padStart(32, '0');
  const args = [`wrk_${id}`, 'true', JSON.stringify({ job: `job_${id}`, replicas: 1 })];
  return { contract: 'Reputation', fn: 'recordResult', args, idempotencyKey: `leaves ${serial}`, leaves };
};

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `fact "${index}" \u{1f600}\n`);

async function committed(submission: Submission) {
  const [outcome] = await ledger.submit([submission], as);
  if (outcome?.kind !== 'committed') throw new Error(JSON.stringify(outcome));
  return outcome;
}

test('each batched fact is proved by itself, under the root that its creator signed', async () => {
  for (const count of [1, 2, 7, limits.ledgerLeaves]) {
    const leaves = numbered(count);
    const { txId } = await committed(carrying(leaves));
    for (const index of new Set([0, Math.floor(count / 2), count - 1])) {
      const { leaf, path, transaction } = await ledger.proveLeaf(txId, index);
      const record = JSON.parse(transaction.transaction) as TransactionRecord;
      const { count: size = 0, root = '' } = record.leaves ?? {};
      expect([leaf, size, record.txId]).toEqual([leaves[index], count, txId]);
      expect(verifyMerklePath(sha256, { leaf: utf8(leaf), index, size, path, root })).toBe(true);
      expect(verifyMerklePath(sha256, { leaf: utf8(`${leaf}.`), index, size, path, root })).toBe(false);
    }
    await expect(ledger.proveLeaf(txId, count)).rejects.toMatchObject({ code: 'ledger.not_found' });
    await expect(ledger.proveLeaf(txId, -1)).rejects.toMatchObject({ code: 'ledger.not_found' });
  }
  const { txId } = await committed({ ...carrying(['x']), leaves: undefined } as unknown as Submission);
  await expect(ledger.proveLeaf(txId, 0)).rejects.toMatchObject({ code: 'ledger.not_found' });
  expect((await verifyLedger(database.db)).problems).toEqual([]);
});

test('a list that is empty, too long or broken is refused', async () => {
  const refusalOf = async (leaves: readonly string[]): Promise<unknown> =>
    (await ledger.submit([carrying(leaves)], as))[0];
  expect(await refusalOf([])).toMatchObject({ code: 'request.malformed' });
  expect(await refusalOf(['\ud800'])).toMatchObject({ code: 'request.malformed' });
  expect(await refusalOf(['x'.repeat(limits.ledgerLeafChars + 1)])).toMatchObject({ code: 'request.too_large' });
  expect(await refusalOf(Array<string>(limits.ledgerLeaves + 1).fill('x'))).toMatchObject({
    code: 'request.too_large',
  });
  const tooMany = Array.from({ length: limits.ledgerCallLeaves / limits.ledgerLeaves + 1 }, () =>
    carrying(Array<string>(limits.ledgerLeaves).fill('x')),
  );
  await expect(ledger.submit(tooMany, as)).rejects.toMatchObject({ code: 'request.too_large' });
});

test('the signature covers them', async () => {
  const signed = signProposal('public-marketplace', carrying(['a', 'b']), key.member(as));
  for (const leaves of [['a', 'c'], ['b', 'a'], ['a'], ['a', 'b', 'b']]) {
    const { leaves: _, ...bare } = signed.submission;
    for (const submission of [{ ...bare, leaves }, bare]) {
      expect(await ledger.submitSigned([{ ...signed, submission }])).toMatchObject([{ code: 'auth.bad_signature' }]);
    }
  }
  expect(await ledger.submitSigned([signed])).toMatchObject([{ kind: 'committed' }]);
});

test('a key that committed them commits no others', async () => {
  const submission = carrying(['a', 'b']);
  const first = await committed(submission);
  expect(await committed(submission)).toEqual(first);
  for (const leaves of [['a', 'c'], undefined]) {
    expect(await ledger.submit([{ ...submission, leaves } as Submission], as)).toMatchObject([
      { kind: 'refused', code: 'idempotency.key_reused' },
    ]);
  }
});

const full = (): Submission => carrying(numbered(limits.ledgerLeaves));

test('a block takes no more of them than a call may bring', async () => {
  const calls = await Promise.all([1, 2].map(() => ledger.submit(Array.from({ length: 15 }, full), as)));
  const blocks = Map.groupBy(calls.flat(), (outcome) => (outcome.kind === 'committed' ? outcome.block : -1n));
  expect(blocks.has(-1n)).toBe(false);
  for (const [, own] of blocks) expect(own.length).toBeLessThanOrEqual(limits.ledgerCallLeaves / limits.ledgerLeaves);
});

const nowMs = (): number => performance.now();

test('the benchmark commits what it counts', async () => {
  const measured = await benchLeaves({
    ledger,
    key,
    channel: 'public-marketplace',
    batches: 6,
    leaves: 50,
    callers: 2,
    nowMs,
  });
  expect(measured.committed).toBe(300);
  expect((await verifyLedger(database.db, { execute: true })).problems).toEqual([]);
});
