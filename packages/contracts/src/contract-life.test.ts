import { jobStates, jobTable } from '@assay/core';
import { agreeOnWindow, contractRunner, type ContractRunner } from '@assay/ledger/testing';
import { describe, expect, test } from 'vitest';
import { details, hash, job } from './listing.setup.ts';
import {
  contractRows,
  contractStates,
  escrowRows,
  escrowStatuses,
  type ContractState,
  type EscrowStatus,
} from './states.ts';

/** Each function that moves a contract or its escrow, with the call that a table row stands for. */
const calls = {
  activateContract: ['Contract:activateContract', job],
  submitWork: ['Contract:submitWork', job, hash('d'), hash('e')],
  verifyWork: ['Contract:verifyWork', job],
  startChallengeTimer: ['EscrowTrigger:startChallengeTimer', job, '0', '5000'],
  triggerPayout: ['EscrowTrigger:triggerPayout', job],
  completeContract: ['Contract:completeContract', job],
  disputeContract: ['Contract:disputeContract', job, hash('f')],
  resolveCompleted: ['Contract:resolveDispute', job, 'COMPLETED', hash('0')],
  resolveRefunded: ['Contract:resolveDispute', job, 'REFUNDED', hash('0')],
  triggerRefund: ['EscrowTrigger:triggerRefund', job],
  refundContract: ['Contract:refundContract', job],
  cancelContract: ['Contract:cancelContract', job],
} as const;
type Step = keyof typeof calls;
const steps = Object.keys(calls) as Step[];

/** A state of a contract with its escrow, whether work was submitted, and a shortest way there. */
interface Place {
  readonly contract: ContractState;
  readonly escrow: EscrowStatus;
  readonly work: boolean;
}

/** What each step does to a place, or the code of the refusal: the specification in one page. */
function expected({ contract, escrow, work }: Place, step: Step): Place | string {
  const to = (next: ContractState, status: EscrowStatus = escrow): Place => ({ contract: next, escrow: status, work });
  const inState = (state: ContractState): boolean => contract === state;
  switch (step) {
    case 'activateContract':
      return inState('CREATED') ? to('FUNDED', 'HELD') : 'job.wrong_state';
    case 'cancelContract':
      return inState('CREATED') ? to('CANCELLED') : 'job.wrong_state';
    case 'submitWork':
      if (!inState('FUNDED')) return 'job.wrong_state';
      return escrow === 'HELD' ? { contract, escrow, work: true } : 'escrow.wrong_state';
    case 'verifyWork':
      if (!inState('FUNDED') || !work) return 'job.wrong_state';
      return escrow === 'HELD' ? to('VERIFIED') : 'escrow.wrong_state';
    case 'startChallengeTimer':
      if (!inState('VERIFIED')) return 'job.wrong_state';
      return escrow === 'HELD' ? to('VERIFIED', 'CHALLENGE') : 'escrow.wrong_state';
    case 'triggerPayout':
      if (!inState('VERIFIED')) return 'job.wrong_state';
      return escrow === 'CHALLENGE' ? to('VERIFIED', 'PAYOUT_TRIGGERED') : 'escrow.wrong_state';
    case 'completeContract':
      // Only a ruling completes a disputed contract: its escrow is frozen, never triggered.
      if (!inState('VERIFIED') && !inState('DISPUTED')) return 'job.wrong_state';
      return escrow === 'PAYOUT_TRIGGERED' ? to('COMPLETED') : 'escrow.wrong_state';
    case 'disputeContract':
      if (!inState('VERIFIED')) return 'job.wrong_state';
      return escrow === 'HELD' || escrow === 'CHALLENGE' ? to('DISPUTED', 'FROZEN') : 'escrow.wrong_state';
    case 'resolveCompleted':
      return inState('DISPUTED') ? to('COMPLETED', 'PAYOUT_TRIGGERED') : 'job.wrong_state';
    case 'resolveRefunded':
      return inState('DISPUTED') ? to('REFUNDED', 'REFUND_TRIGGERED') : 'job.wrong_state';
    case 'triggerRefund':
      if (!inState('FUNDED')) return 'job.wrong_state';
      return escrow === 'HELD' ? to('FUNDED', 'REFUND_TRIGGERED') : 'escrow.wrong_state';
    case 'refundContract':
      if (!inState('FUNDED')) return 'job.wrong_state';
      return escrow === 'REFUND_TRIGGERED' ? to('REFUNDED') : 'escrow.wrong_state';
    default:
      throw new Error(step satisfies never);
  }
}

/** Windows begin at 4000 ms; everything else is late enough for a payout. */
const timeOf = (step: Step): { atMs: number } => ({ atMs: step === 'startChallengeTimer' ? 4000 : 6000 });

async function walk(path: readonly Step[]): Promise<ContractRunner> {
  const runner = contractRunner();
  await agreeOnWindow(runner, 0);
  await runner.run('Marketplace:listContract', [job, details]);
  for (const step of path) {
    const [name, ...args] = calls[step];
    expect(await runner.run(name, args, timeOf(step))).toMatchObject({ kind: 'endorsed' });
  }
  return runner;
}

async function placeOf(runner: ContractRunner): Promise<Place> {
  const read = async (call: string): Promise<Record<string, unknown>> => {
    const outcome = await runner.endorse(call, [job]);
    return outcome.kind === 'endorsed' ? (JSON.parse(outcome.result) as Record<string, unknown>) : {};
  };
  const contract = await read('Contract:getContract');
  const escrow = await read('EscrowTrigger:getEscrowStatus');
  return {
    contract: contract['state'] as ContractState,
    escrow: escrow['status'] as EscrowStatus,
    work: contract['batches'] !== 0,
  };
}

/** Every place that can be reached, by breadth-first search over the specification. */
function reachable(): Map<string, { place: Place; path: Step[] }> {
  const start: Place = { contract: 'CREATED', escrow: 'NONE', work: false };
  const found = new Map([[JSON.stringify(start), { place: start, path: [] as Step[] }]]);
  for (const { place, path } of found.values()) {
    for (const step of steps) {
      const next = expected(place, step);
      const key = JSON.stringify(next);
      if (typeof next !== 'string' && !found.has(key)) found.set(key, { place: next, path: [...path, step] });
    }
  }
  return found;
}

describe('a contract and its escrow', () => {
  const places = [...reachable().values()];

  test('reach every state of both machines', () => {
    expect(new Set(places.map(({ place }) => place.contract))).toEqual(new Set(contractStates));
    expect(new Set(places.map(({ place }) => place.escrow))).toEqual(new Set(escrowStatuses));
  });

  test.each(places)('do exactly what the specification says in $place', async ({ place, path }) => {
    const runner = await walk(path);
    expect(await placeOf(runner)).toEqual(place);
    for (const step of steps) {
      const [name, ...args] = calls[step];
      const next = expected(place, step);
      const outcome = await runner.endorse(name, args, timeOf(step));
      const actual = outcome.kind === 'refused' ? outcome.code : await placeOf(await walk([...path, step]));
      expect({ step, actual }).toEqual({ step, actual: next });
    }
  });

  test('never get stuck: an end can be reached from everywhere', () => {
    const ends = new Set(['COMPLETED', 'REFUNDED', 'CANCELLED']);
    const good = new Set(
      places.filter(({ place }) => ends.has(place.contract)).map(({ place }) => JSON.stringify(place)),
    );
    for (let before = -1; before !== good.size;) {
      before = good.size;
      for (const { place } of places) {
        if (steps.some((step) => good.has(JSON.stringify(expected(place, step))))) good.add(JSON.stringify(place));
      }
    }
    expect(good.size).toBe(places.length);
  });

  test('have the rows of the core’s table of jobs', () => {
    const lower = contractRows.map(([from, event, to]) => [from.toLowerCase(), event, to.toLowerCase()].join(' '));
    expect(lower.toSorted()).toEqual(jobTable.rows.map((row) => row.join(' ')).toSorted());
    expect(contractStates.map((state) => state.toLowerCase())).toEqual([...jobStates]);
  });

  test('know no row with an unknown state or a second target', () => {
    const states: ReadonlySet<string> = new Set([...contractStates, ...escrowStatuses]);
    for (const rows of [contractRows, escrowRows]) {
      for (const [from, , to] of rows) expect([states.has(from), states.has(to)]).toEqual([true, true]);
      expect(new Set(rows.map(([from, event]) => `${from} ${event}`)).size).toBe(rows.length);
    }
  });

  test('are open for claims exactly while FUNDED', async () => {
    for (const { place, path } of places) {
      const runner = await walk(path);
      const open = await runner.endorse('Marketplace:getAvailableContracts', ['{}']);
      const items = open.kind === 'endorsed' ? (JSON.parse(open.result) as { items: unknown[] }).items : [];
      expect([place.contract, items.length]).toEqual([place.contract, place.contract === 'FUNDED' ? 1 : 0]);
    }
  });
});

describe('the challenge timer', () => {
  const path: Step[] = ['activateContract', 'submitWork', 'verifyWork', 'startChallengeTimer'];

  test.each([
    [4999, 'refused'],
    [5000, 'endorsed'],
    [5001, 'endorsed'],
  ])('at %i ms a payout due at 5000 ms is %s', async (atMs, kind) => {
    const runner = await walk(path);
    const outcome = await runner.run('EscrowTrigger:triggerPayout', [job], { atMs });
    expect(outcome).toMatchObject(kind === 'refused' ? { kind, code: 'escrow.window_open' } : { kind });
  });

  test('takes a window of no length to one of the longest, and no other', async () => {
    const runner = await walk(path.slice(0, 3));
    const start = (from: string, to: string) => runner.endorse('EscrowTrigger:startChallengeTimer', [job, from, to]);
    const longest = 90 * 24 * 3_600_000;
    expect(await start('7', '7')).toMatchObject({ kind: 'endorsed' });
    expect(await start('7', String(7 + longest))).toMatchObject({ kind: 'endorsed' });
    for (const [from, to] of [
      ['7', '6'],
      ['7', String(8 + longest)],
      ['-1', '5'],
      ['01', '5'],
      ['1.5', '5'],
      ['1', '9'.repeat(16)],
    ]) {
      expect(await start(from ?? '', to ?? '')).toMatchObject({ kind: 'refused', code: 'request.malformed' });
    }
  });
});

describe('submitted work', () => {
  test('is kept batch by batch', async () => {
    const runner = await walk(['activateContract']);
    for (const [batch, letter] of ['1', '2', '3'].entries()) {
      const outcome = await runner.run('Contract:submitWork', [job, hash(letter), hash('9')], { atMs: 1234 });
      const work = { job, batch, proofHash: hash(letter), resultHash: hash('9'), atMs: 1234 };
      expect(outcome.kind === 'endorsed' && JSON.parse(outcome.result)).toEqual(work);
      const key = `\0work\0${job}\0${String(batch).padStart(8, '0')}\0`;
      const entries = await runner.state.getMany([key]);
      expect(JSON.parse(entries.get(key)?.value ?? '')).toEqual(work);
    }
    expect(await placeOf(runner)).toEqual({ contract: 'FUNDED', escrow: 'HELD', work: true });
  });

  test('has hashes', async () => {
    const runner = await walk(['activateContract']);
    for (const [proof, result] of [
      ['', hash('a')],
      [hash('a'), hash('A')],
      [hash('g'), hash('a')],
      [hash('a'), `${hash('a')}a`],
    ]) {
      const outcome = await runner.endorse('Contract:submitWork', [job, proof ?? '', result ?? '']);
      expect(outcome).toMatchObject({ kind: 'refused', code: 'request.malformed' });
    }
  });
});

describe('each transaction', () => {
  test('has one event, which lists its facts, and a result in canonical JSON', async () => {
    for (const { place, path } of reachable().values()) {
      const runner = await walk(path);
      for (const step of steps) {
        if (typeof expected(place, step) === 'string') continue;
        const [name, ...args] = calls[step];
        const outcome = await runner.endorse(name, args, timeOf(step));
        const facts = JSON.parse(outcome.set.event?.payload ?? '[]') as { name: string; payload: { job: string } }[];
        expect(outcome.set.event?.name).toBe(facts[0]?.name);
        expect(facts.map((fact) => fact.payload.job)).toEqual(facts.map(() => job));
        expect(facts.length).toBe(step.startsWith('resolve') ? 2 : 1);
      }
    }
  });
});
