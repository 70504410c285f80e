import { describe, expect, it } from 'vitest';
import { findingOf, percentile, tableOf } from './sandbox-report.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('what bench sandbox found', () => {
  it('is counted by the nearest rank', () => {
    expect(percentile(hundred, 0.9)).toBe(90);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile([7], 0.9)).toBe(7);
    expect(percentile([1, 2], 0.9)).toBe(2);
  });

  it.each([
    [{ name: 'a', samples: hundred, goal: 90 }, 'holds'],
    [{ name: 'a', samples: hundred, goal: 89 }, 'missed'],
    [{ name: 'a', samples: hundred }, ''],
    [{ name: 'a', rate: 60, goal: 60 }, 'holds'],
    [{ name: 'a', rate: 59.9, goal: 60 }, 'missed'],
    [{ name: 'a', goal: 60, skipped: 'no docker' }, 'skipped'],
  ])('%j: %s', (row, verdict) => expect(findingOf(row).verdict).toBe(verdict));

  it('is a table', () => {
    const rows = [
      { name: 'cold', samples: [3.2, 4.8], goal: 5 },
      { name: 'replicas', rate: 61.4, goal: 60 },
      { name: 'R', skipped: 'not here' },
    ];
    expect(tableOf(rows.map(findingOf))).toEqual([
      '          runs  p50 ms   p90  goal  verdict',
      'cold         2       3     5   ≤ 5  holds',
      'replicas                61/s  ≥ 60  holds',
      'R                                   skipped: not here',
    ]);
  });
});
