import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rounds } from './rounds.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How many requests a minute of changes leads to where a round takes so many. */
async function requestsInAMinute(each: number): Promise<{ requests: number; read: number[][] }> {
  let requests = 0;
  const read: number[][] = [];
  const mark = rounds<number[]>(
    () => [],
    async (noted) => {
      read.push(noted);
      requests += each;
    },
    () => requests,
  );
  for (let at = 0; at < 600; at += 1) {
    mark((noted) => noted.push(at));
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  return { requests, read };
}

test('every change is read once more, and a small page soon', async () => {
  const { read } = await requestsInAMinute(2);
  expect(read.flat()).toEqual(Array.from({ length: 600 }, (_, at) => at));
  expect(read.length).toBeGreaterThan(180);
});

test('a page of many requests leaves the account some of what it may ask for', async () => {
  for (const each of [5, 30]) expect((await requestsInAMinute(each)).requests).toBeLessThan(700);
});
