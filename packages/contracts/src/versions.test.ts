import { contractRunner } from '@assay/ledger/testing';
import { expect, test } from 'vitest';
import { contractVersions, newestVersion } from './call.ts';
import { contractsOf } from './contract-classes.ts';
import { contractFunctions } from './roles.ts';
import { details, hash, job } from './listing.setup.ts';

const toVerified: [string, string[]][] = [
  ['Marketplace:listContract', [job, details]],
  ['Contract:activateContract', [job]],
  ['Contract:submitWork', [job, hash('d'), hash('e')]],
  ['Contract:verifyWork', [job]],
];
const open: [string, string[]] = ['EscrowTrigger:startChallengeTimer', [job, '10', '20']];

type Runner = ReturnType<typeof contractRunner>;

async function run(runner: Runner, calls: readonly [string, string[]][], atMs = 100): Promise<void> {
  for (const [call, args] of calls) expect(await runner.run(call, args, { atMs })).toMatchObject({ kind: 'endorsed' });
}

/** A runner of `version` over the state that another one left. */
async function takenOver(from: Runner, version: 1 | 2): Promise<Runner> {
  const runner = contractRunner(contractsOf(version));
  const writes = from.state.entries().map(({ key, value }) => [key, value] as const);
  runner.state.apply(writes, { txId: hash('0'), atMs: 0, version: [0, 0] });
  return runner;
}

const escrowOf = async (runner: Runner): Promise<unknown> => {
  const key = `\0escrow\0${job}\0`;
  return JSON.parse((await runner.state.getMany([key])).get(key)?.value ?? 'null');
};

test('the newest version is what runs unless another one is named', () => {
  expect(newestVersion).toBe(contractVersions.at(-1));
  for (const version of contractVersions) {
    for (const of of contractsOf(version)) expect(new of().version).toBe(version);
  }
});

test('version 1 does as it did: its records, its trust in the deadline, none of the later functions', async () => {
  const runner = contractRunner(contractsOf(1));
  await run(runner, [...toVerified, open]);
  expect(await escrowOf(runner)).toEqual({ job, status: 'CHALLENGE', startedAtMs: 10, deadlineMs: 20 });
  const later = Object.entries(contractFunctions.EscrowTrigger).filter(([, row]) => row.since === 2);
  expect(later.map(([fn]) => fn).toSorted()).toEqual(['getChallengeWindow', 'voteOnChallengeWindow']);
  for (const [fn, row] of later) {
    const outcome = await runner.endorse(`EscrowTrigger:${fn}`, row.args);
    expect(outcome).toMatchObject({ kind: 'refused', code: 'ledger.unknown_function' });
  }
});

test('version 2 goes on from what version 1 left, and stores it anew when it moves', async () => {
  const before = contractRunner(contractsOf(1));
  await run(before, toVerified);
  const after = await takenOver(before, 2);
  const read = await after.endorse('EscrowTrigger:getEscrowStatus', [job]);
  const held = { v: 2, job, status: 'HELD', startedAtMs: null, deadlineMs: null, leastMs: null };
  expect(read.kind === 'endorsed' && JSON.parse(read.result)).toEqual(held);
  expect(await escrowOf(after)).not.toHaveProperty('v');
  await run(after, [open]);
  expect(await escrowOf(after)).toMatchObject({ v: 2, status: 'CHALLENGE', leastMs: 24 * 3_600_000 });
});

test('a window that version 1 opened ends when it was told to, and its contract is completed', async () => {
  const before = contractRunner(contractsOf(1));
  await run(before, [...toVerified, open]);
  const after = await takenOver(before, 2);
  await run(after, [
    ['EscrowTrigger:triggerPayout', [job]],
    ['Contract:completeContract', [job]],
  ]);
  const paid = { v: 2, job, status: 'PAYOUT_TRIGGERED', startedAtMs: 10, deadlineMs: 20, leastMs: null };
  expect(await escrowOf(after)).toEqual(paid);
});

test('version 1 refuses what version 2 stored, and leaves alone what it did not touch', async () => {
  const newer = contractRunner();
  await run(newer, [...toVerified, open]);
  const older = await takenOver(newer, 1);
  const refused = await older.run('EscrowTrigger:triggerPayout', [job], { atMs: 10 ** 10 });
  expect(refused).toMatchObject({ kind: 'refused', code: 'ledger.newer_state' });
  expect(await older.run('Contract:getContract', [job])).toMatchObject({ kind: 'endorsed' });
});

test('every version refuses state that is newer than itself, wherever it reads it', async () => {
  const runner = contractRunner();
  await run(runner, toVerified.slice(0, 2));
  const newer = runner.state.entries().map(({ key, value }) => {
    const record = JSON.parse(value) as object;
    return [key, JSON.stringify({ ...record, v: newestVersion + 1 })] as const;
  });
  runner.state.apply(newer, { txId: hash('1'), atMs: 0, version: [9, 0] });
  for (const [call, args] of [
    ['Contract:getContract', [job]],
    ['Contract:submitWork', [job, hash('d'), hash('e')]],
    ['EscrowTrigger:triggerRefund', [job]],
    ['Marketplace:getAvailableContracts', ['{}']],
  ] as const) {
    const outcome = await runner.endorse(call, args);
    expect([call, outcome]).toMatchObject([call, { kind: 'refused', code: 'ledger.newer_state' }]);
    expect(outcome.set.writes).toEqual([]);
  }
});
