import { expect, test } from 'vitest';
import { scopedKey } from './key-scope.ts';

test('organisations cannot use up each other’s keys', () => {
  expect(scopedKey('PlatformMSP', 'k')).toBe('k');
  const theirs = scopedKey('WorkerMSP', 'k');
  expect(new Set(['k', theirs, scopedKey('OtherMSP', 'k'), scopedKey('WorkerMSP', 'l')]).size).toBe(4);
  expect(scopedKey('WorkerMSP', 'k')).toBe(theirs);
});
