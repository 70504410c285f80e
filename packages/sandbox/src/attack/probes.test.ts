import { expect, it } from 'vitest';
import type { Language } from './probe.setup.ts';
import { probes } from './probes.setup.ts';

it('is a table of attacks with names of their own, which no language leaves out without a reason', () => {
  const ids = probes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const languages: Language[] = ['cpython', 'pyodide', 'r', 'wasi'];
  const silent = probes.flatMap(({ id, code, without }) =>
    languages
      .filter((one) => (code[one] === undefined) === (without?.[one] === undefined))
      .map((one) => `${id} ${one}`),
  );
  expect(silent).toEqual([]);
  for (const language of languages) expect(probes.filter(({ code }) => code[language]).length).toBeGreaterThan(12);
  expect(probes.filter(({ code }) => code.cpython).length).toBeGreaterThan(90);
});
