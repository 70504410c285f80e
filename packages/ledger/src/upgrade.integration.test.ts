import { contractsOf } from '@assay/contracts';
import type { InclusionProof, SignedHead } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { challengeWindowOn } from './agree-on-window.ts';
import { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { factsOfLife, freshJob, lifeOf, platform } from './fabric/listing.setup.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { acknowledged, factsOf, isProven, stillHolds, versionIn } from './upgrade.setup.ts';
import { verifyLedger } from './verify-ledger.ts';

const key = ledgerKeyFromSeed(new Uint8Array(32).fill(5));
const atOnce = 20;
/** Up to VERIFIED; then the window opens, the payout is triggered and the contract is complete. */
const untilVerified = 4;
const untilOpened = 5;

describe('an embedded ledger that goes from version 1 of the contracts to version 2', () => {
  let database: TestDatabase;
  let older: EmbeddedLedger;
  let newer: EmbeddedLedger;
  const [whole, opened, verified] = [freshJob(), freshJob(), freshJob()];
  let proof: InclusionProof;
  let head: SignedHead;
  const loaded = Array.from({ length: atOnce }, freshJob);
  let txIds: string[][];

  const escrowOf = async (job: string): Promise<string | undefined> => {
    const text = "SELECT convert_from(value, 'UTF8') AS value FROM ledger_state WHERE key = $1";
    const rows = await database.owner.query<{ value: string }>(text, [Buffer.from(`\0escrow\0${job}\0`)]);
    return rows[0]?.value;
  };

  beforeAll(async () => {
    database = await testDatabase();
    older = await openEmbeddedLedger({ db: database.db, key, contracts: contractsOf(1) });
    const old = (): EmbeddedLedger => older;
    const before = [lifeOf(whole), lifeOf(opened).slice(0, untilOpened), lifeOf(verified).slice(0, untilVerified)];
    for (const submission of before.flat()) await acknowledged(old, submission);
    const [listed] = factsOf(await older.facts(1n, 1000), whole);
    proof = await older.prove(listed!.txId);
    head = await older.head();
    // Two servers, as in a rolling start: every other call finds the older or the newer one, and tries again elsewhere.
    newer = await openEmbeddedLedger({ db: database.db, key });
    let turn = 0;
    const either = (): EmbeddedLedger => ((turn += 1) % 2 === 0 || turn > 10 * atOnce ? newer : older);
    txIds = await Promise.all(
      loaded.map(async (job) => {
        const ids: string[] = [];
        for (const submission of lifeOf(job).slice(0, untilOpened)) ids.push(await acknowledged(either, submission));
        return ids;
      }),
    );
  });
  afterAll(() => database.drop());

  test('loses no call and doubles none', async () => {
    const facts = await newer.facts(1n, 10_000);
    for (const [index, job] of loaded.entries()) {
      const own = factsOf(facts, job);
      expect(own.map(({ name }) => name)).toEqual(factsOfLife.slice(0, untilOpened));
      expect(own.map(({ txId }) => txId)).toEqual(txIds[index]);
    }
  });

  test('keeps what was proven before, by old proofs and by new ones', async () => {
    expect(isProven(proof)).toBe(true);
    const again = await newer.prove(JSON.parse(proof.transaction).txId);
    expect(again.transaction).toBe(proof.transaction);
    expect(isProven(again)).toBe(true);
    expect(await newer.isConsistent(head)).toBe(true);
    expect(await stillHolds(newer, head)).toBe(true);
  });

  test('goes on with what version 1 left, and stores it anew', async () => {
    expect([versionIn(await escrowOf(opened)), versionIn(await escrowOf(verified))]).toEqual([1, 1]);
    const rest = await newer.submit(lifeOf(opened).slice(untilOpened), platform);
    expect(rest.map(({ kind }) => kind)).toEqual(['committed', 'committed']);
    const bounded = await newer.submit(lifeOf(verified).slice(untilVerified), platform);
    expect(bounded).toMatchObject([
      { kind: 'committed' },
      { kind: 'refused', code: 'escrow.window_open' },
      { kind: 'refused', code: 'escrow.wrong_state' },
    ]);
    expect([versionIn(await escrowOf(opened)), versionIn(await escrowOf(verified))]).toEqual([2, 2]);
    expect(await challengeWindowOn(newer)).toMatchObject({ minMs: 24 * 3_600_000 });
  });

  test('is not touched by version 1 any more where version 2 wrote', async () => {
    const [outcome] = await older.submit([lifeOf(verified)[5]!], platform);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.newer_state' });
    await expect(older.evaluate('EscrowTrigger', 'getEscrowStatus', [verified], platform)).rejects.toMatchObject({
      code: 'ledger.newer_state',
    });
  });

  test('verifies to the last call, each run again by the version that ran it', async () => {
    expect(await verifyLedger(database.db, { execute: true })).toMatchObject({ ok: true, problems: [] });
    const byNewest = await verifyLedger(database.db, { execute: true, contracts: contractsOf(2) });
    expect(byNewest.problems[0]?.what).toMatch(/gives another outcome when it runs again$/);
  });
});
