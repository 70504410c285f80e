import { expect, test } from 'vitest';
import { shellWord } from './terminal.ts';

test('a word that a shell would read otherwise is quoted', () => {
  expect(shellWord('/var/lib/assay')).toBe('/var/lib/assay');
  expect(shellWord("Dora's desk")).toBe(String.raw`'Dora'\''s desk'`);
  expect(shellWord('a/../b')).toBe("'a/../b'");
  expect(shellWord('$(id)')).toBe("'$(id)'");
});
