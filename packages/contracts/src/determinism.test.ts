import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What would let two peers come to different results. */
const banned: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a clock', /\bDate\b|\bperformance\b|\bhrtime\b|\bIntl\b|toLocale/],
  ['randomness', /\bMath\.random\b|\brandom\w*\(|\bcrypto\b/],
  ['a timer or a race', /\bset(?:Timeout|Interval|Immediate)\b|Promise\.(?:race|any)\b/],
  ['the world outside', /\bnode:|\bprocess\.|\bfetch\b|\brequire\(|\bimport\(/],
  ['a float', /\bparseFloat\b|[^\w.]\d+\.\d|\bMath\.(?!trunc|floor|min|max)\w/],
  ['an order that depends on the object', /\bfor\s*\([^)]*\bin\b|Object\.(?:entries|values)\(/],
  ['its own write', /putState[\s\S]{0,200}getState/],
  [
    'an object as result',
    /:\s*Promise<(?!string>|void>|EscrowRecord>|ContractRecord>|ReputationRecord>|Stored \| undefined>)/,
  ],
  ['a rich query', /getQueryResult/],
];

const folder = new URL('./', import.meta.url);
const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));

test.each(sources)('%s is deterministic', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
  const found = banned.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
  expect(found).toEqual([]);
});

test('the scan finds what it looks for', () => {
  const offences = ['new Date()', 'Math.random()', 'setTimeout(f)', 'fetch(url)', 'x = 1.5', 'for (const k in o)'];
  for (const text of offences) expect(banned.some(([, pattern]) => pattern.test(` ${text}`))).toBe(true);
});

test('each function emits at most once on its way', () => {
  for (const name of ['marketplace.ts', 'contract.ts', 'reputation.ts', 'escrow-trigger.ts']) {
    const methods = readFileSync(new URL(name, folder), 'utf8')
      .split(/^ {2}async /m)
      .slice(1);
    for (const method of methods) expect([name, method.match(/\bemit\(/g)?.length ?? 0]).not.toEqual([name, 2]);
  }
});
