import { describe, expect, test } from 'vitest';
import { assert, integer, property, array } from 'fast-check';
import { tokenBuckets } from './token-bucket.ts';

function bucketsAt(perMinute: number, burst: number, keys = 10) {
  const clock = { ms: 1_000_000, nowMs: () => clock.ms };
  return { clock, buckets: tokenBuckets(clock, { perMinute, burst }, keys) };
}

describe('token buckets', () => {
  test('let a burst through, then the rate', () => {
    const { clock, buckets } = bucketsAt(60, 3);
    expect([1, 2, 3].map(() => buckets.take('a').ok)).toEqual([true, true, true]);
    expect(buckets.take('a')).toEqual({ ok: false, waitMs: 1000 });
    clock.ms += 999;
    expect(buckets.take('a').ok).toBe(false);
    clock.ms += 1;
    expect(buckets.take('a').ok).toBe(true);
    expect(buckets.take('b').ok).toBe(true);
  });

  test('never let more through in any time than burst and rate allow', () => {
    assert(
      property(array(integer({ min: 0, max: 5000 }), { maxLength: 200 }), (pauses) => {
        const { clock, buckets } = bucketsAt(120, 5);
        const startMs = clock.ms;
        let taken = 0;
        for (const pause of pauses) {
          clock.ms += pause;
          if (buckets.take('a').ok) taken += 1;
          expect(taken).toBeLessThanOrEqual(5 + (clock.ms - startMs) * (120 / 60_000) + 1e-6);
        }
      }),
    );
  });

  test('a clock that goes back takes nothing and gives nothing', () => {
    const { clock, buckets } = bucketsAt(60, 1);
    expect(buckets.take('a').ok).toBe(true);
    clock.ms -= 10_000;
    expect(buckets.take('a').ok).toBe(false);
  });

  test('forget the caller that was away longest', () => {
    const { buckets } = bucketsAt(1, 1, 2);
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key);
    expect(buckets.has('b')).toBe(true);
    expect(buckets.has('a')).toBe(false);
    buckets.reset('a');
    expect(buckets.has('a')).toBe(true);
  });
});
