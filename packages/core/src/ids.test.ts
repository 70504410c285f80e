import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idPattern, idPrefixes, newId, parseId, uuidV7Source, type IdKind } from './ids.ts';

const kinds = Object.keys(idPrefixes) as IdKind[];
const source = (nowMs: () => number) => uuidV7Source(nowMs, (count) => new Uint8Array(count).fill(0xff));

describe('ids', () => {
  it('have a prefix of three letters that no other kind has', () => {
    const prefixes = Object.values(idPrefixes);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[a-z]{3}$/);
  });

  it('are read as their own kind only', () => {
    for (const kind of kinds) {
      const id = newId(
        kind,
        source(() => 1),
      );
      expect(kinds.filter((other) => parseId(other, id) !== undefined)).toEqual([kind]);
      expect(id).toMatch(new RegExp(idPattern(kind)));
    }
  });

  it.each([
    '',
    'job_',
    'job',
    `job_${'0'.repeat(31)}`,
    `job_${'0'.repeat(33)}`,
    `job_${'A'.repeat(32)}`,
    `job-${'0'.repeat(32)}`,
    ` job_${'0'.repeat(32)}`,
    7,
    null,
  ])('are not read from %j', (text) => expect(parseId('job', text)).toBeUndefined());
});

describe('uuidV7Source', () => {
  it('writes version, variant and the time of RFC 9562', () => {
    const id = source(() => 0x0123456789ab).next();
    expect(id).toBe('0123456789ab7000bfffffffffffffff');
  });

  it('ascends without repeating, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 200 }), (steps) => {
        let now = 1000;
        const from = source(() => now);
        let last = '';
        for (const step of steps) {
          now += step;
          const next = from.next();
          expect(next > last).toBe(true);
          last = next;
        }
      }),
    );
  });

  it('ascends past the 4096 ids of a millisecond', () => {
    const from = source(() => 5);
    const ids = Array.from({ length: 10_000 }, () => from.next());
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });
});
