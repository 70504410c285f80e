import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMetric } from './metrics-file.ts';

describe('readMetric', () => {
  it('reads any finite number as it was written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(readMetric(JSON.stringify({ other: 1, loss: value }), 'loss')).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it.each([
    '',
    '{',
    'null',
    '7',
    '[1]',
    '{}',
    '{"loss":"1"}',
    '{"loss":null}',
    '{"loss":1e999}',
    '{"loss":NaN}',
    '{"Loss":1}',
  ])('finds none in %j', (text) => {
    expect(readMetric(text, 'loss')).toBeNull();
  });

  it('does not read through prototypes', () => {
    expect(readMetric('{}', 'constructor')).toBeNull();
    expect(readMetric('[]', 'length')).toBeNull();
  });
});
