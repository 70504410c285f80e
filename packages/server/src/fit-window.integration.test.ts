import type { Ledger } from '@assay/core';
import { challengeWindowOn, ledgerKeyFromSeed, openEmbeddedLedger } from '@assay/ledger';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fitWindow } from './fit-window.ts';

const dayMs = 24 * 3_600_000;
const said: string[] = [];
const note = (_: unknown, text?: string): void => void said.push(text ?? '');
const log = { info: note, warn: note };

let database: TestDatabase;
let ledger: Ledger;
beforeEach(async () => {
  said.length = 0;
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key: ledgerKeyFromSeed(new Uint8Array(32)) });
});
afterEach(() => database.drop());

test('a window of a day or more needs no vote', async () => {
  const { block } = await ledger.head();
  await fitWindow(ledger, dayMs, log);
  expect((await ledger.head()).block).toBe(block);
  expect(await challengeWindowOn(ledger)).toMatchObject({ minMs: dayMs });
});

test('a shorter one is voted for once, and both votes are facts', async () => {
  await fitWindow(ledger, 1500, log);
  await fitWindow(ledger, 1500, log);
  await fitWindow(ledger, 2000, log);
  expect(await challengeWindowOn(ledger)).toMatchObject({ minMs: 1500, votes: 2 });
  const facts = await ledger.facts(1n, 10);
  expect(facts.map(({ name }) => name)).toEqual(['ChallengeWindowVoted', 'ChallengeWindowVoted', 'ChallengeWindowSet']);
  expect(said).toHaveLength(1);
});

test('on a network nothing is voted; a mismatch and a network that is away are told', async () => {
  const network = (evaluate: Ledger['evaluate']): Ledger => ({
    ...ledger,
    engine: 'fabric',
    evaluate,
    submit: () => Promise.reject(new Error('nothing may be submitted')),
  });
  await fitWindow(network(ledger.evaluate), dayMs, log);
  await fitWindow(network(ledger.evaluate), 1500, log);
  await expect.poll(() => said).toEqual(['the organisations agreed on other challenge windows; theirs count']);
  await fitWindow(
    network(() => Promise.reject(new Error('away'))),
    1500,
    log,
  );
  await expect.poll(() => said.at(-1)).toBe('the ledger did not say which challenge windows it allows');
});
