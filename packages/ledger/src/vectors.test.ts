/**
 * `vectors/ledger.json` says what this engine hashes and signs, byte for byte, for programs in other languages. It was
 * written once; a change that does not give the same bytes again is a change of the format.
 */

import { readFileSync } from 'node:fs';
import { platformMsp } from '@assay/contracts';
import {
  canonicalJson,
  fromHex,
  hashOf,
  headMessage,
  merkleLeaf,
  merklePath,
  toHex,
  utf8,
  verifyMerklePath,
  type CanonicalValue,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import { expect, test } from 'vitest';
import { isSigned, nonceOf, sha256, txIdOf } from './block.ts';
import { creatorsUnder } from './creators.ts';
import { embeddedEngine } from './embedded-ledger.ts';
import { fastestEd25519, withOpenssl } from './ed25519.ts';
import { timestampOf } from './fabric-runtime.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { leafPath, leavesOf } from './leaves.ts';
import type { HeadRow } from './ledger-rows.ts';
import { genesisBlock, headAfter, makeBlock, type Endorsed } from './make-block.ts';
import { memoryState } from './memory-state.ts';
import { messageOf, signProposal } from './proposal.ts';

const seed = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const channel = 'public-marketplace';
const atMs = 1_793_000_000_000;
const file = new URL('../vectors/ledger.json', import.meta.url);
const committed = JSON.parse(readFileSync(file, 'utf8')) as Awaited<ReturnType<typeof vectors>>;

const submissions: readonly Submission[] = [
  ['slashReputation', [`wrk_${'1'.repeat(32)}`, 'late.answer'], 'first'],
  ['recordResult', [`wrk_${'2'.repeat(32)}`, 'true', `{"job":"job_${'3'.repeat(32)}","replicas":2}`], 'ключ "2"\n'],
  ['slashReputation', [`wrk_${'4'.repeat(32)}`, 'sandbox.escape'], '第三 \u{1f600}'],
].map(([fn, args, idempotencyKey]) => ({ contract: 'Reputation', fn, args, idempotencyKey }) as Submission);

const leaves = ['first fact', 'второй', '\u{1f600} "3"\n', '', 'fifth'];

const carrier: Submission = {
  contract: 'Reputation',
  fn: 'slashReputation',
  args: [`wrk_${'5'.repeat(32)}`, 'none'],
  idempotencyKey: 'with batched facts',
};

/** Two blocks of a new chain: block 0, and one of four transactions, the last with batched facts. */
async function vectors() {
  const key = ledgerKeyFromSeed(fromHex(seed));
  const engine = embeddedEngine({ key });
  const signer = key.member({ mspId: platformMsp, name: 'orchestrator', roles: ['orchestrator'] });
  const start: HeadRow = { nextBlock: 0n, nextFact: 1n, atMs: 0, hash: '0'.repeat(64), peaks: [], nowMs: atMs };
  const genesis = genesisBlock(start, key, channel, engine.mspIds);
  const state = memoryState();
  const proposals: object[] = [];
  const endorsed: Endorsed[] = [];
  for (const submission of [...submissions, { ...carrier, leaves }]) {
    const { nonce, signature } = signProposal(channel, submission, signer);
    const txId = txIdOf(nonce, signer);
    const message = messageOf(channel, submission, signer, nonce);
    proposals.push({ submission, nonce, message, signature, txId });
    const { contract, fn, args } = submission;
    const { mspId, certificate } = signer;
    const proposal = { contract, fn, args, txId, channel, mspId, certificate, timestamp: timestampOf(atMs) };
    const outcome = await engine.endorse(proposal, async () => undefined, state);
    if (outcome.kind === 'refused') throw new Error(outcome.message);
    const stated = { leaves: leavesOf(submission), submission, member: signer, nonce, signature, txId, atMs };
    endorsed.push({ ...outcome, ...stated });
  }
  const block = await makeBlock(headAfter(start, genesis), endorsed, state, key);
  const texts = block.transactions.map(({ transaction }) => utf8(transaction));
  const heads = [genesis, block].map(({ head }) => ({
    message: headMessage(head),
    ...head,
    block: Number(head.block),
  }));
  return {
    seed,
    channel,
    ledgerPublicKey: key.publicKey,
    authority: key.authority(platformMsp),
    creator: {
      mspId: platformMsp,
      certificate: signer.certificate,
      fingerprint: signer.fingerprint,
      publicKey: engine.creatorOf(signer.certificate)?.publicKey ?? '',
    },
    proposals,
    transactions: block.transactions.map(({ transaction }, index) => ({
      transaction,
      leaf: toHex(merkleLeaf(sha256, utf8(transaction))),
      path: merklePath(sha256, texts, index),
    })),
    batchedFacts: leaves.map((leaf, index) => ({ leaf, path: leafPath(leaves, index) })),
    headers: [genesis.headerText, block.headerText],
    heads,
  };
}

test('the same seed, calls and time give the committed bytes', async () => {
  expect(await vectors()).toEqual(committed);
});

test('the committed signatures, hashes and paths hold by the rules alone', () => {
  const { creator, authority, headers, heads, transactions } = committed;
  const find = creatorsUnder([{ mspId: creator.mspId, certificate: authority }]);
  expect(find(creator.certificate)).toEqual(creator);
  const header = JSON.parse(headers[1] ?? '') as { txRoot: string; previous: string; txCount: number };
  for (const [index, { transaction, leaf, path }] of transactions.entries()) {
    const record = JSON.parse(transaction) as TransactionRecord;
    const { args, contract, fn, key, nonce, signature = '' } = record;
    const called = { certificate: record.creator.certificate, mspId: record.creator.mspId };
    const batched = record.leaves && { leaves: { count: record.leaves.count, root: record.leaves.root } };
    const proposal = { args, channel, contract, creator: called, fn, key, ...batched, nonce };
    const signed = `assay/proposal/1\n${canonicalJson(proposal)}`;
    expect(signed).toBe((committed.proposals[index] as { message: string }).message);
    expect(nonce).toBe(nonceOf({ idempotencyKey: key }, 0));
    for (const check of [fastestEd25519(), withOpenssl()]) {
      const given = [
        Buffer.from(creator.publicKey, 'hex'),
        Buffer.from(signed),
        Buffer.from(signature, 'hex'),
      ] as const;
      expect(check(...given)).toBe(true);
      expect(check(given[0], Buffer.from(`${signed} `), given[2])).toBe(false);
    }
    expect(toHex(merkleLeaf(sha256, utf8(transaction)))).toBe(leaf);
    const claim = { leaf: utf8(transaction), index, size: header.txCount, path, root: header.txRoot };
    expect(verifyMerklePath(sha256, claim)).toBe(true);
  }
  const { count = 0, root = '' } = (JSON.parse(transactions[3]?.transaction ?? '') as TransactionRecord).leaves ?? {};
  expect(count).toBe(committed.batchedFacts.length);
  for (const [index, { leaf, path }] of committed.batchedFacts.entries()) {
    expect(verifyMerklePath(sha256, { leaf: utf8(leaf), index, size: count, path, root })).toBe(true);
  }
  for (const [index, head] of heads.entries()) {
    const hash = hashOf(sha256, 'block', JSON.parse(headers[index] ?? '') as CanonicalValue);
    expect(hash).toBe(head.blockHash);
    expect(headMessage({ ...head, block: BigInt(head.block) })).toBe(head.message);
    expect(isSigned({ ...head, block: BigInt(head.block) })).toBe(true);
  }
  expect(header.previous).toBe(heads[0]?.blockHash);
});
