import { expect, test } from 'vitest';
import { UsageError } from './arguments.ts';
import { durationMs } from './duration.ts';

test.each([
  ['0s', 0],
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['90d', 7_776_000_000],
])('%s is %i ms', (text, ms) => {
  expect(durationMs('for', text)).toBe(ms);
});

test.each(['', '5', 'h', '1.5h', '-1h', '01h', '2 h', '10000d', '1w'])('%j is no time', (text) => {
  expect(() => durationMs('for', text)).toThrow(UsageError);
  expect(() => durationMs('for', text)).toThrow(/^--for takes a time/);
});
