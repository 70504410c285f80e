import { assert, jsonValue, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStorable } from './storable-text.ts';

describe('text that the database can hold', () => {
  test.each([['a\u0000b'], ['\ud800'], [{ '\u0000': 1 }], [{ a: [{ b: ['\udfff'] }] }]])('%j is not', (value) => {
    expect(isStorable(value)).toBe(false);
  });

  test('is found out for any JSON as by its text', () => {
    assert(
      property(jsonValue(), (value) => {
        expect(isStorable(value)).toBe(!/\\u0000|\\ud[89ab]|\\ud[c-f]/i.test(JSON.stringify(value)));
      }),
    );
  });

  test('is found at any depth', () => {
    let deep: unknown = 'a\u0000';
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(isStorable(deep)).toBe(false);
  });

  test('is found in lists and records longer than a call may have arguments', () => {
    const long = Array.from({ length: 600_000 }, () => 0);
    expect(isStorable([long, 'a\u0000'])).toBe(false);
    expect(isStorable(long)).toBe(true);
    expect(isStorable(Object.fromEntries(long.map((zero, index) => [`k${index}`, zero])))).toBe(true);
  });
});
