import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedKey } from './repeated-key.ts';

describe('a key that stands twice', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1, "b":{"c":1}, "\\u0061" : 2}', 'a'],
    ['[{"x":"}"},{"x":"{","y":[{"z":1,"z":1}]}]', 'z'],
    ['{"\\"":1,"\\"":2}', '"'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('is found: %s', (text, key) => {
    expect(repeatedKey(text)).toBe(key);
  });

  it.each(['{"a":{"a":{"a":1}}}', '["a","a"]', '{"a":"a","b":"a"}', '"a"', '{"a":"\\\\","b":"\\":","c":1}'])(
    'is not seen where there is none: %s',
    (text) => {
      expect(repeatedKey(text)).toBeUndefined();
    },
  );

  it('is never seen in what a writer of JSON wrote, and always where a key is written again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, pick) => {
        const text = JSON.stringify(object, undefined, 1);
        const keys = Object.keys(object);
        const key = keys[pick % keys.length] ?? '';
        expect(repeatedKey(text)).toBeUndefined();
        expect(repeatedKey(`${text.slice(0, -1)}, ${JSON.stringify(key)}: null}`)).toBe(key);
      }),
    );
  });
});
