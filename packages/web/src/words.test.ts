import { expect, test } from 'vitest';
import { cutText, mostJobs, mostRows } from './words.ts';

test('a list that may go on says so, one that is whole does not', () => {
  expect(cutText(mostRows - 1, 'units')).toBeUndefined();
  expect(cutText(mostRows, 'units')).toBe(
    'No more than 5,000 units are shown and counted here; the API lists all of them.',
  );
  expect(cutText(99, 'jobs', mostJobs)).toBeUndefined();
  expect(cutText(100, 'jobs', mostJobs)).toContain('No more than 100 jobs');
});
