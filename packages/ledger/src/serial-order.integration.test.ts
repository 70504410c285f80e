import type { Submission } from '@assay/core';
import { testDatabase, type TestDatabase } from '@assay/store/testing';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts';
import { details, hash } from './fabric/listing.setup.ts';
import { ledgerKeyFromSeed } from './keys.ts';
import { agreeOnWindow as agreeOnLedger } from './agree-on-window.ts';
import { agreeOnWindow, contractRunner, platformIdentity } from './testing.ts';
import { verifyLedger } from './verify-ledger.ts';

let database: TestDatabase;
let ledger: EmbeddedLedger;
beforeAll(async () => {
  database = await testDatabase();
  ledger = await openEmbeddedLedger({ db: database.db, key: ledgerKeyFromSeed(new Uint8Array(32).fill(3)) });
  await agreeOnLedger(ledger, 0);
});
afterAll(() => database.drop());

type Call = readonly [contract: Submission['contract'], fn: string, ...args: string[]];

/** Every kind of call about one job and one worker. */
function callsOf(job: string, worker: string): readonly Call[] {
  return [
    ['Marketplace', 'listContract', job, details],
    ['Marketplace', 'claimContract', worker, job],
    ['Contract', 'activateContract', job],
    ['Contract', 'submitWork', job, hash('d'), hash('e')],
    ['Contract', 'verifyWork', job],
    ['Contract', 'completeContract', job],
    ['Contract', 'disputeContract', job, hash('f')],
    ['Contract', 'resolveDispute', job, 'COMPLETED', hash('f')],
    ['Contract', 'cancelContract', job],
    ['Contract', 'refundContract', job],
    ['Reputation', 'recordResult', worker, 'true', JSON.stringify({ job, replicas: 1 })],
    ['Reputation', 'recordResults', job, '0', JSON.stringify([{ worker, agreed: 1, disagreed: 0, lost: 0 }])],
    ['EscrowTrigger', 'startChallengeTimer', job, '0', '1'],
    ['EscrowTrigger', 'triggerPayout', job],
    ['EscrowTrigger', 'triggerRefund', job],
  ];
}

/** Records and results without the times, which differ from run to run. */
const timeless = (text: string): string => text.replaceAll(/"(?:atMs|listedAtMs|changedAtMs|deadlineMs)":\d+/g, '');

let runs = 0;

test('calls sent at once take effect as if they had come one after the other', async () => {
  const pick = fc.record({ which: fc.nat(14), job: fc.nat(2), worker: fc.nat(1) });
  // Half of the steps follow the usual way of a job, so that its later states are reached as well.
  const usual = fc.record({ which: fc.constantFrom(0, 2, 3, 4, 12, 13, 5), job: fc.nat(1), worker: fc.constant(0) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(pick, usual), { maxLength: 40, size: 'max' }), async (picks) => {
      runs += 1;
      const tag = `f${String(runs).padStart(30, '0')}`;
      const id = (prefix: string, digit: number): string => `${prefix}_${tag}${digit}`;
      const calls = picks.map(({ which, job, worker }) => callsOf(id('job', job), id('wrk', worker))[which]!);
      const outcomes = await ledger.submit(
        calls.map(([contract, fn, ...args], index) => ({ contract, fn, args, idempotencyKey: `${runs}/${index}` })),
        platformIdentity,
      );
      const runner = contractRunner();
      await agreeOnWindow(runner, 0);
      for (const [index, [contract, fn, ...args]] of calls.entries()) {
        const expected = await runner.run(`${contract}:${fn}`, args);
        const outcome = outcomes[index];
        const seen =
          outcome?.kind === 'committed' ? timeless(outcome.result) : outcome?.kind === 'refused' && outcome.code;
        expect([index, fn, seen]).toEqual([
          index,
          fn,
          expected.kind === 'endorsed' ? timeless(expected.result) : expected.code,
        ]);
      }
      const stored = await database.owner.query<{ key: Buffer; value: Buffer }>(
        'SELECT key, value FROM ledger_state WHERE position($1::bytea IN key) > 0 ORDER BY key',
        [Buffer.from(tag)],
      );
      const entries = runner.state.entries().filter(({ key }) => key.includes(tag));
      expect(stored.map((row) => [row.key.toString(), timeless(row.value.toString())])).toEqual(
        entries.map(({ key, value }) => [key, timeless(value)]),
      );
    }),
    { numRuns: 40 },
  );
  expect(await verifyLedger(database.db, { execute: true })).toMatchObject({ ok: true, problems: [] });
}, 120_000);
