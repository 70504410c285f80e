import { expect, test } from 'vitest';
import { clockTime, cutText, metricText, mostJobs, mostRows, timeText } from './words.ts';

test('a list that may go on says so, one that is whole does not', () => {
  expect(cutText(mostRows - 1, 'units')).toBeUndefined();
  expect(cutText(mostRows, 'units')).toBe(
    'No more than 5,000 units are shown and counted here; the API lists all of them.',
  );
  expect(cutText(99, 'jobs', mostJobs)).toBeUndefined();
  expect(cutText(100, 'jobs', mostJobs)).toContain('No more than 100 jobs');
});

test('a metric of many digits is rounded, not cut off', () => {
  expect(['0.5', '-12.25', '1234567890'].map(metricText)).toEqual(['0.5', '-12.25', '1234567890']);
  expect(metricText('1.23456789012e-12')).toBe('≈ 1.23457e-12');
  expect(metricText('123456789012')).toBe('≈ 1.23457e+11');
  expect(metricText('3.141592653589793')).toBe('≈ 3.14159');
});

test('a time says its day where that is another than before', () => {
  const [noon, later, nextDay] = ['2026-11-21T12:00:00Z', '2026-11-21T12:05:00Z', '2026-11-22T12:00:04Z'] as const;
  expect(timeText(later, noon)).toBe(clockTime(later));
  expect(timeText(noon)).toMatch(/2026.*, \d\d:\d\d:00$/);
  expect(timeText(nextDay, noon)).toMatch(/2026.*, \d\d:\d\d:04$/);
});
