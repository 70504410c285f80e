import { Fault } from '@assay/core';
import { expect, test } from 'vitest';
import { openCombiner } from './submit-combiner.ts';

test('what waits while the writer works shares the next turn', async () => {
  const turns: (readonly number[])[] = [];
  const submit = openCombiner(async (requests: readonly number[]) => {
    turns.push(requests);
    await new Promise((resolve) => setImmediate(resolve));
    return requests.map((request) => request * 10);
  });
  const answers = await Promise.all([submit([1]), submit([2, 3]), submit([]), submit([4])]);
  expect(answers).toEqual([[10], [20, 30], [], [40]]);
  expect(turns).toEqual([[1], [2, 3, 4]]);
});

test('a turn has a size, which only a single call may exceed', async () => {
  const sizes: number[] = [];
  const submit = openCombiner(async (requests: readonly number[]) => {
    sizes.push(requests.length);
    return [...requests];
  });
  const calls = [1, 1200, 1000, 800, 4000].map((size) => submit(Array<number>(size).fill(0)));
  expect((await Promise.all(calls)).map((answer) => answer.length)).toEqual([1, 1200, 1000, 800, 4000]);
  expect(sizes).toEqual([1, 1200, 1800, 4000]);
});

test('a bad call fails alone, an outage fails all that waited', async () => {
  let attempts = 0;
  const submit = openCombiner(async (requests: readonly string[]) => {
    attempts += 1;
    if (requests.includes('bad')) throw new Error('bad call');
    if (requests.includes('away')) throw new Fault('ledger.unavailable', 'away', { retry: true });
    return [...requests];
  });
  const settle = async (...calls: string[]): Promise<string[]> =>
    (await Promise.allSettled(calls.map((call) => submit([call])))).map((result) =>
      result.status === 'fulfilled' ? (result.value[0] ?? '') : (result.reason as Error).message,
    );
  expect(await settle('first', 'a', 'bad', 'b')).toEqual(['first', 'a', 'bad call', 'b']);
  attempts = 0;
  expect(await settle('first', 'a', 'away', 'b')).toEqual(['first', 'away', 'away', 'away']);
  expect(attempts).toBe(2);
  expect(await settle('again')).toEqual(['again']);
});
