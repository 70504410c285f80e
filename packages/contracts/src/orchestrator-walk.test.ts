import { escrowStatesOfJob, jobStates, jobTable, type EscrowState, type JobState } from '@assay/core';
import { agreeOnWindow, contractRunner, type ContractRunner } from '@assay/ledger/testing';
import { describe, expect, test } from 'vitest';
import type { EscrowStatus } from './states.ts';
import { details, hash, job } from './listing.setup.ts';

type Call = readonly [call: string, ...args: string[]];

const resolve = (outcome: string): Call => ['Contract:resolveDispute', job, outcome, hash('f')];

/** What the orchestrator sends to the ledger for each row of the core's table of jobs. */
const callsOfRow: Readonly<Record<string, readonly Call[]>> = {
  'created fund': [['Contract:activateContract', job]],
  'created cancel': [['Contract:cancelContract', job]],
  'funded verify': [
    ['Contract:submitWork', job, hash('d'), hash('e')],
    ['Contract:verifyWork', job],
    ['EscrowTrigger:startChallengeTimer', job, '0', '0'],
  ],
  'funded fail': [
    ['EscrowTrigger:triggerRefund', job],
    ['Contract:refundContract', job],
  ],
  'verified dispute': [['Contract:disputeContract', job, hash('f')]],
  'verified complete': [
    ['EscrowTrigger:triggerPayout', job],
    ['Contract:completeContract', job],
  ],
  'disputed complete': [resolve('COMPLETED')],
  'disputed refund': [resolve('REFUNDED')],
};

/** Where the money may be in the market's books when the ledger says so. */
const booksOf: Readonly<Record<EscrowStatus, readonly EscrowState[]>> = {
  NONE: ['awaiting_payment', 'expired'],
  HELD: ['funded'],
  CHALLENGE: ['challenge'],
  FROZEN: ['frozen'],
  PAYOUT_TRIGGERED: ['released', 'split'],
  REFUND_TRIGGERED: ['refunded', 'charged_back'],
};

const rowKey = ([from, event]: readonly [from: string, event: string, ...rest: string[]]): string => `${from} ${event}`;

/** All ways that the core allows from a job's beginning, as rows. */
function waysFrom(state: JobState, way: readonly string[] = []): { state: JobState; way: readonly string[] }[] {
  const next = jobTable.rows.filter(([from]) => from === state);
  return [{ state, way }, ...next.flatMap((row) => waysFrom(row[2], [...way, rowKey(row)]))];
}

async function walked(way: readonly string[]): Promise<ContractRunner> {
  const runner = contractRunner();
  await agreeOnWindow(runner, 0);
  await runner.run('Marketplace:listContract', [job, details]);
  for (const [index, key] of way.entries()) {
    for (const [call, ...args] of callsOfRow[key] ?? []) {
      const outcome = await runner.run(call, args, { atMs: 1000 * (index + 1) });
      expect([call, outcome]).toMatchObject([call, { kind: 'endorsed' }]);
    }
  }
  return runner;
}

async function read(runner: ContractRunner, call: string): Promise<Record<string, unknown>> {
  const outcome = await runner.endorse(call, [job]);
  if (outcome.kind === 'refused') throw new Error(outcome.message);
  return JSON.parse(outcome.result) as Record<string, unknown>;
}

describe('on every way that the core allows a job', () => {
  const ways = waysFrom('created');

  test('every row and every state occurs, and each row has its calls', () => {
    expect(Object.keys(callsOfRow).toSorted()).toEqual(jobTable.rows.map(rowKey).toSorted());
    expect(new Set(ways.map(({ state }) => state))).toEqual(new Set(jobStates));
  });

  test.each(ways)('the ledger takes every call and comes to $state by $way', async ({ state, way }) => {
    const runner = await walked(way);
    expect(await read(runner, 'Contract:getContract')).toMatchObject({ state: state.toUpperCase() });
    const { status } = (await read(runner, 'EscrowTrigger:getEscrowStatus')) as { status: EscrowStatus };
    const allowed = escrowStatesOfJob[state];
    expect([status, booksOf[status].filter((one) => allowed.includes(one))]).not.toEqual([status, []]);
  });

  test.each(ways)('the ledger refuses in $state by $way what the core does not allow', async ({ state, way }) => {
    const runner = await walked(way);
    for (const [key, calls] of Object.entries(callsOfRow)) {
      if (key.startsWith(`${state} `)) continue;
      // The last of a row's calls is the one that moves the contract.
      const [call = '', ...args] = (key === 'funded verify' ? calls[1] : calls.at(-1)) ?? [];
      if (callsOfRow[`${state} ${key.split(' ')[1] ?? ''}`]?.some(([own]) => own === call)) continue;
      const outcome = await runner.endorse(call, args, { atMs: 1_000_000 });
      expect([key, outcome.kind]).toEqual([key, 'refused']);
    }
  });
});
