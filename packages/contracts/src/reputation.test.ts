import { contractRunner, type ContractRunner } from '@assay/ledger/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

const job = `job_${'1'.repeat(32)}`;
const worker = `wrk_${'2'.repeat(32)}`;
const other = `wrk_${'3'.repeat(32)}`;
const zero = { agreed: 0, disagreed: 0, lost: 0 };
const malformed = { kind: 'refused', code: 'request.malformed' };
const metrics = (changes: object = {}): string => JSON.stringify({ job, replicas: 1, ...changes });

async function reputationOf(runner: ContractRunner, id = worker): Promise<unknown> {
  const outcome = await runner.endorse('Reputation:getReputation', [id]);
  return outcome.kind === 'endorsed' ? JSON.parse(outcome.result) : outcome;
}

async function withListing(): Promise<ContractRunner> {
  const runner = contractRunner();
  const hash = 'a'.repeat(64);
  const details = {
    manifestHash: hash,
    bundleDigest: hash,
    termsHash: hash,
    requirementsHash: null,
    region: 'eu',
    runner: 'python',
    verification: 'exact',
    redundancy: 3,
    units: 10,
    storage: 'eu',
  };
  await runner.run('Marketplace:listContract', [job, JSON.stringify(details)]);
  return runner;
}

test('a worker that nobody knows has counters of zero', async () => {
  expect(await reputationOf(contractRunner())).toEqual({ worker, ...zero, slashed: 0 });
});

test('results add to the counter that they name', async () => {
  const runner = contractRunner();
  await runner.run('Reputation:recordResult', [worker, 'true', metrics({ replicas: 5 })]);
  await runner.run('Reputation:recordResult', [worker, 'false', metrics()]);
  await runner.run('Reputation:recordResult', [worker, 'false', metrics({ cause: 'lost', replicas: 2 })]);
  await runner.run('Reputation:recordResult', [worker, 'false', metrics({ cause: 'disagreed' })]);
  await runner.run('Reputation:slashReputation', [worker, 'sandbox.escape']);
  expect(await reputationOf(runner)).toEqual({ worker, agreed: 5, disagreed: 2, lost: 2, slashed: 1 });
  expect(await reputationOf(runner, other)).toEqual({ worker: other, ...zero, slashed: 0 });
});

test.each([
  ['yes', metrics()],
  ['TRUE', metrics()],
  ['true', metrics({ cause: 'lost' })],
  ['false', metrics({ cause: 'bored' })],
  ['true', metrics({ job: 'job_1' })],
  ['true', metrics({ job: 7 })],
  ['true', metrics({ replicas: 0 })],
  ['true', metrics({ replicas: 1.5 })],
  ['true', metrics({ replicas: 1_000_001 })],
  ['true', '{}'],
  ['true', ''],
])('a result %s with %s is malformed', async (success, text) => {
  expect(await contractRunner().run('Reputation:recordResult', [worker, success, text])).toMatchObject(malformed);
});

test.each([[''], ['Escape'], ['two words'], ['x'.repeat(65)]])('%j is no reason', async (reason) => {
  expect(await contractRunner().run('Reputation:slashReputation', [worker, reason])).toMatchObject(malformed);
});

test('a batch adds to each worker once, and each part counts once', async () => {
  const runner = await withListing();
  const results = JSON.stringify([
    { worker, ...zero, agreed: 3 },
    { worker: other, ...zero, disagreed: 1, lost: 2 },
  ]);
  for (const part of ['0', '1']) {
    const outcome = await runner.run('Reputation:recordResults', [job, part, results]);
    expect(outcome.kind === 'endorsed' && JSON.parse(outcome.result)).toEqual({ job, part: Number(part), workers: 2 });
    const again = await runner.run('Reputation:recordResults', [job, part, results]);
    expect(again).toMatchObject({ kind: 'refused', code: 'job.wrong_state' });
  }
  expect(await reputationOf(runner)).toEqual({ worker, ...zero, agreed: 6, slashed: 0 });
  expect(await reputationOf(runner, other)).toEqual({ worker: other, agreed: 0, disagreed: 2, lost: 4, slashed: 0 });
});

test.each([
  ['x', '[]'],
  ['0', '[]'],
  ['0', '{}'],
  ['0', '[1]'],
  ['0', JSON.stringify([{ worker, agreed: 1 }])],
  ['0', JSON.stringify([{ worker: 'me', ...zero }])],
  ['0', JSON.stringify([{ worker, ...zero, agreed: -1 }])],
  ['0', JSON.stringify([{ worker, ...zero, more: 1 }])],
  [
    '0',
    JSON.stringify([
      { worker, ...zero },
      { worker, ...zero },
    ]),
  ],
  ['0', JSON.stringify(Array.from({ length: 501 }, () => ({ worker, ...zero })))],
])('part %s of %s is malformed', async (part, results) => {
  const runner = await withListing();
  expect(await runner.run('Reputation:recordResults', [job, part, results])).toMatchObject(malformed);
});

test('a batch belongs to a listed contract', async () => {
  const outcome = await contractRunner().run('Reputation:recordResults', [
    job,
    '0',
    JSON.stringify([{ worker, ...zero }]),
  ]);
  expect(outcome).toMatchObject({ kind: 'refused', code: 'job.not_found' });
});

test('counters are sums, whatever the order and the way of recording', async () => {
  const counters = ['agreed', 'disagreed', 'lost'] as const;
  const entry = fc.record({
    counter: fc.constantFrom(...counters),
    replicas: fc.integer({ min: 1, max: 1000 }),
    batched: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 12, size: 'max' }), async (entries) => {
      const runner = await withListing();
      const sums: Record<string, number> = { ...zero };
      for (const [index, { counter, replicas, batched }] of entries.entries()) {
        sums[counter] = (sums[counter] ?? 0) + replicas;
        if (batched) {
          const results = JSON.stringify([{ worker, ...zero, [counter]: replicas }]);
          await runner.run('Reputation:recordResults', [job, String(index), results]);
        } else {
          const cause = counter === 'agreed' ? {} : { cause: counter };
          await runner.run('Reputation:recordResult', [
            worker,
            String(counter === 'agreed'),
            metrics({ replicas, ...cause }),
          ]);
        }
      }
      expect(await reputationOf(runner)).toEqual({ worker, ...sums, slashed: 0 });
    }),
    { numRuns: 30 },
  );
});
