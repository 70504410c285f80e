import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestKey } from './nearest-key.ts';
import {
  decimalShape,
  flagShape,
  integerShape,
  listShape,
  oneOfShape,
  recordShape,
  textShape,
  withDefault,
  type Shape,
  type ShapeFault,
} from './shape.ts';

function read<T>(shape: Shape<T>, value: unknown): T | ShapeFault[] {
  const faults: ShapeFault[] = [];
  const result = shape.read(value, '', (fault) => faults.push(fault));
  expect(result === undefined).toBe(faults.length > 0);
  return result ?? faults;
}

describe('shapes', () => {
  const letters = textShape({ pattern: '^[a-z]*$', rule: 'letters', min: 1, max: 3 });
  const shape = recordShape(
    { name: letters, sizes: listShape(integerShape(0, 9), 2), mode: withDefault(oneOfShape(['r', 'w']), 'r') },
    { share: decimalShape(0, 1, 2), strict: flagShape() },
  );

  it('read what fits, fill in defaults and leave out what is left out', () => {
    expect(read(shape, { name: 'abc', sizes: [1, 2] })).toEqual({ name: 'abc', sizes: [1, 2], mode: 'r' });
    expect(read(shape, { name: 'a', sizes: [], mode: 'w', share: 0.25, strict: false })).toEqual({
      name: 'a',
      sizes: [],
      mode: 'w',
      share: 0.25,
      strict: false,
    });
    expect(Object.is(read(integerShape(0, 9), -0), 0)).toBe(true);
  });

  it('report every fault with its path', () => {
    const faults = read(shape, { name: 'ABCD', sizes: [1, 10, 0.5], share: 0.255, strikt: true }) as ShapeFault[];
    expect(faults.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'strikt unknown_key',
      'name out_of_bounds',
      'sizes out_of_bounds',
      'share malformed',
    ]);
    expect(faults[0]?.message).toContain('did you mean strict?');
    expect(read(shape, {})).toMatchObject([{ path: 'name' }, { path: 'sizes' }]);
    expect(read(shape, null)).toMatchObject([{ path: '', kind: 'malformed' }]);
  });

  it('do not read through prototypes', () => {
    const inherited: unknown = Object.create({ name: 'abc', sizes: [] });
    expect(read(shape, inherited)).toMatchObject([{ path: 'name' }, { path: 'sizes' }]);
  });

  it('count characters as people do', () => {
    const one = textShape({ pattern: '^.*$', rule: 'anything', max: 1 });
    expect(read(one, '\u{1f600}')).toBe('\u{1f600}');
  });

  it('know decimals', () => {
    const cents = decimalShape(-1000, 1000, 2);
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (whole) => {
        expect(read(cents, whole / 100)).toBe(whole / 100 + 0);
      }),
    );
    for (const value of [0.001, 1e-7, 999.999, Number.NaN, '1'])
      expect(read(cents, value)).toMatchObject([{ kind: 'malformed' }]);
  });

  it('answer no value without a fault, whatever is put in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(read(shape, value)).toBeDefined();
      }),
    );
  });
});

describe('nearestKey', () => {
  const known = ['entry_point', 'args', 'budget_usd', 'verification', 'timeout_hours'];
  it.each([
    ['entrypoint', 'entry_point'],
    ['Args', 'args'],
    ['arg', 'args'],
    ['budget', undefined],
    ['budget_eur', 'budget_usd'],
    ['verificaton', 'verification'],
    ['timeout_hour', 'timeout_hours'],
    ['x', undefined],
    ['', undefined],
  ])('of %j is %j', (unknown, meant) => expect(nearestKey(unknown, known)).toBe(meant));

  it('measures as a metric does', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
