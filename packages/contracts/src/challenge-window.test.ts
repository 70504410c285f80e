import { limits, type LedgerIdentity } from '@assay/core';
import { agreeOnWindow, contractRunner, type ContractRunner } from '@assay/ledger/testing';
import { describe, expect, test } from 'vitest';
import { details, hash, job } from './listing.setup.ts';

const dayMs = 24 * 3_600_000;
const standard = { minMs: dayMs, maxMs: 90 * dayMs, votes: 2, sinceMs: 0 };

function governor(mspId: string): LedgerIdentity {
  return { mspId, name: 'governor', roles: ['governor'] };
}

async function vote(runner: ContractRunner, mspId: string, args: readonly (number | string)[], atMs = 1_000_000) {
  const outcome = await runner.run('EscrowTrigger:voteOnChallengeWindow', args.map(String), {
    as: governor(mspId),
    atMs,
  });
  return outcome.kind === 'endorsed' ? (JSON.parse(outcome.result) as { decided: boolean }).decided : outcome.code;
}

async function ruleOf(runner: ContractRunner): Promise<unknown> {
  const outcome = await runner.endorse('EscrowTrigger:getChallengeWindow', []);
  return outcome.kind === 'endorsed' ? JSON.parse(outcome.result) : outcome.code;
}

/** Opens the window of a verified contract. */
async function opened(runner: ContractRunner, startedAtMs: number, wantedMs: number, atMs: number) {
  const calls: [string, string[]][] = [
    ['Marketplace:listContract', [job, details]],
    ['Contract:activateContract', [job]],
    ['Contract:submitWork', [job, hash('d'), hash('e')]],
    ['Contract:verifyWork', [job]],
    ['EscrowTrigger:startChallengeTimer', [job, String(startedAtMs), String(wantedMs)]],
  ];
  for (const [call, args] of calls) {
    const outcome = await runner.run(call, args, { atMs });
    if (call === 'EscrowTrigger:startChallengeTimer') {
      return outcome.kind === 'endorsed' ? (JSON.parse(outcome.result) as Record<string, unknown>) : outcome;
    }
  }
  throw new Error('no window was opened');
}

describe('without any vote', () => {
  test('the standard holds', async () => {
    expect(await ruleOf(contractRunner())).toEqual(standard);
  });

  test('an orchestrator that wants no window at all gets a day, counted from the ledger’s time', async () => {
    const runner = contractRunner();
    const atMs = 50 * dayMs;
    expect(await opened(runner, 0, 0, atMs)).toEqual({
      v: 2,
      job,
      status: 'CHALLENGE',
      startedAtMs: 0,
      deadlineMs: atMs + dayMs,
      leastMs: dayMs,
    });
    const early = await runner.run('EscrowTrigger:triggerPayout', [job], { atMs: atMs + dayMs - 1 });
    expect(early).toMatchObject({ kind: 'refused', code: 'escrow.window_open' });
    const due = await runner.run('EscrowTrigger:triggerPayout', [job], { atMs: atMs + dayMs });
    expect(due).toMatchObject({ kind: 'endorsed' });
  });

  test('a window that is longer than the least stays as it is wanted, up to the most', async () => {
    expect(await opened(contractRunner(), 0, 3 * dayMs, 0)).toMatchObject({ deadlineMs: 3 * dayMs });
    const far = 1000 * dayMs;
    expect(await opened(contractRunner(), far, far + dayMs, 5)).toMatchObject({ deadlineMs: 5 + 90 * dayMs });
  });
});

describe('a vote', () => {
  test('of one organisation changes nothing, however often it votes', async () => {
    const runner = contractRunner();
    expect(await vote(runner, 'PlatformMSP', [0, 0, 2])).toBe(false);
    expect(await vote(runner, 'PlatformMSP', [0, 0, 2])).toBe(false);
    expect(await ruleOf(runner)).toEqual(standard);
  });

  test('of two that want the same makes the rule, and each vote is told', async () => {
    const runner = contractRunner();
    await vote(runner, 'PlatformMSP', [10, 20, 2]);
    const outcome = await runner.run('EscrowTrigger:voteOnChallengeWindow', ['10', '20', '2'], {
      as: governor('WorkerMSP'),
      atMs: 7,
    });
    expect(await ruleOf(runner)).toEqual({ minMs: 10, maxMs: 20, votes: 2, sinceMs: 7 });
    const facts = JSON.parse(outcome.set.event?.payload ?? '[]') as unknown;
    expect(facts).toEqual([
      { name: 'ChallengeWindowVoted', payload: { organization: 'WorkerMSP', minMs: 10, maxMs: 20, votes: 2 } },
      { name: 'ChallengeWindowSet', payload: { minMs: 10, maxMs: 20, votes: 2, sinceMs: 7 } },
    ]);
    expect(await opened(runner, 100, 100, 100)).toMatchObject({ deadlineMs: 110, leastMs: 10 });
  });

  test.each([
    ['minMs', [11, 20, 2]],
    ['maxMs', [10, 21, 2]],
    ['votes', [10, 20, 3]],
  ])('with another %s is another vote', async (_, other) => {
    const runner = contractRunner();
    await vote(runner, 'PlatformMSP', [10, 20, 2]);
    expect(await vote(runner, 'WorkerMSP', other)).toBe(false);
    expect(await ruleOf(runner)).toEqual(standard);
  });

  test('of an organisation that changed its mind counts no more', async () => {
    const runner = contractRunner();
    await vote(runner, 'PlatformMSP', [10, 20, 2]);
    await vote(runner, 'PlatformMSP', [30, 40, 2]);
    expect(await vote(runner, 'WorkerMSP', [10, 20, 2])).toBe(false);
    expect(await vote(runner, 'PlatformMSP', [10, 20, 2])).toBe(true);
  });

  test('that asks for more votes needs as many itself, and the next one then needs them too', async () => {
    const runner = contractRunner();
    await vote(runner, 'PlatformMSP', [10, 20, 3]);
    expect(await vote(runner, 'WorkerMSP', [10, 20, 3])).toBe(false);
    expect(await vote(runner, 'ThirdMSP', [10, 20, 3])).toBe(true);
    for (const mspId of ['PlatformMSP', 'WorkerMSP']) expect(await vote(runner, mspId, [0, 0, 2])).toBe(false);
    expect(await vote(runner, 'ThirdMSP', [0, 0, 2])).toBe(true);
  });

  test.each([
    [['-1', '5', '2']],
    [['6', '5', '2']],
    [['0', '5', '1']],
    [['0', '5', String(limits.ledgerVotes + 1)]],
    [['0', String(limits.challengeWindowMs + 1), '2']],
  ])('of %j is malformed', async (args) => {
    expect(await vote(contractRunner(), 'PlatformMSP', args)).toBe('request.malformed');
  });

  test('of two organisations at once: the second reads the range that the first changes', async () => {
    const runner = contractRunner();
    await agreeOnWindow(runner, 5);
    const outcome = await runner.endorse('EscrowTrigger:voteOnChallengeWindow', ['0', '5', '2'], {
      as: governor('WorkerMSP'),
    });
    const saw = outcome.set.ranges.flatMap((range) => range.saw.map(([key]) => key));
    expect(saw).toEqual(['\0vote\0challengeWindow\0PlatformMSP\0', '\0vote\0challengeWindow\0WorkerMSP\0']);
  });
});
