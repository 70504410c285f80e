import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** What would let two peers come to different results, each with code that must be found. */
const banned: readonly (readonly [what: string, pattern: RegExp, samples: readonly string[]])[] = [
  [
    'a clock',
    /\bDate\b|\bperformance\b|\bhrtime\b|\bTemporal\b/,
    ['new Date()', 'Date.now()', 'performance.now()', 'Temporal.Now.instant()'],
  ],
  [
    'randomness',
    /\bMath\.random\b|\brandom\w*\(|\bcrypto\b/,
    ['Math.random()', 'randomBytes(4)', 'crypto.getRandomValues(a)'],
  ],
  [
    'the locale',
    /\bIntl\b|toLocale|localeCompare/,
    ['new Intl.Collator()', 'a.toLocaleString()', 'a.toLocaleLowerCase()', 'a.localeCompare(b)'],
  ],
  [
    'a timer or a race',
    /\bset(?:Timeout|Interval|Immediate)\b|Promise\.(?:race|any)\b|\bqueueMicrotask\b|\bnextTick\b|\bAtomics\b/,
    [
      'setTimeout(f)',
      'setInterval(f)',
      'setImmediate(f)',
      'Promise.race([a])',
      'Promise.any([a])',
      'queueMicrotask(f)',
    ],
  ],
  [
    'the world outside',
    /\bnode:|\bprocess\b|\bfetch\b|\brequire\(|\bimport\(|\bglobalThis\b|\bimport\.meta\b|\beval\(|\bnew Function\b/,
    ['process.env', 'fetch(url)', 'require(x)', 'import(x)', 'globalThis.x', 'import.meta.url', 'eval(x)'],
  ],
  [
    'a float',
    /\bparseFloat\b|[^\w.]\d+\.\d|\bMath\.(?!trunc|floor|min|max)\w|\bMath\.(?!trunc)\w+\([^()]*\s\/\s|(?<!Math\.trunc\([^()]*)\s\/\s|\.toFixed\(|\bNaN\b/,
    ['parseFloat(x)', 'x = 1.5', 'Math.sqrt(x)', 'const a = b / c', 'x.toFixed(2)', 'Math.max(a / b, c)'],
  ],
  [
    'an order that depends on the object or on who came first',
    /\bfor\s*\([^)]*\bin\b|\.(?:entries|values|keys|forEach)\((?!value\)\.toSorted\(\))|\bReflect\.ownKeys\b|\bnew (?:Weak)?Map\b|\.\.\.new Set|\bWeakRef\b/,
    [
      'for (const k in o)',
      'Object.entries(o)',
      'Object.values(o)',
      'Object.keys(o)',
      'm.forEach(f)',
      'new Map()',
      'm.keys()',
    ],
  ],
  ['its own write', /putState[\s\S]{0,200}getState/, ['await putState(k, v); await getState(k)']],
  ['a rich query', /getQueryResult/, ['ctx.stub.getQueryResult(q)']],
  ['the text of a stack', /\.stack\b|captureStackTrace/, ['error.stack']],
];

/** Functions of the ledger return text: an object would be converted by whatever library is installed. */
const objectResult = /^ {2}async (?!aroundTransaction)\w+\([^)]*\): Promise<(?!string>)/m;

const allowedImports = /^(?:@assay\/core|fabric-contract-api|\.\/[a-z-]+\.ts)$/;

const folder = new URL('./', import.meta.url);
const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !/\.(?:test|setup)\.ts$/.test(name));

/** Without comments, and with nothing inside quotes and patterns. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replaceAll(/(?<=[=(,:!]\s*)\/(?:[^/\\\n[]|\\.|\[[^\]\n]*\])+\//g, 'pattern');
}

function offences(code: string): string[] {
  return banned.filter(([, pattern]) => pattern.test(code)).map(([what]) => what);
}

describe.each(sources)('%s', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');

  test('is deterministic', () => {
    expect(offences(codeOf(text))).toEqual([]);
    expect(objectResult.test(codeOf(text))).toBe(false);
  });

  test('imports nothing from outside', () => {
    const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)';|^import '([^']+)';/gm)];
    expect(imports.map(([, from, bare]) => from ?? bare ?? '').filter((from) => !allowedImports.test(from))).toEqual(
      [],
    );
  });

  test('emits at most once on its way', () => {
    for (const method of text.split(/^ {2}async /m).slice(1)) {
      expect([0, 1]).toContain(method.match(/\bemit\(/g)?.length ?? 0);
    }
  });
});

test.each(banned.flatMap(([what, , samples]) => samples.map((sample) => [what, sample] as const)))(
  'the scan finds %s in %s',
  (what, sample) => {
    expect(offences(` ${codeOf(sample)}`)).toContain(what);
  },
);

test('the scan finds functions that return objects, and lets honest code pass', () => {
  expect(objectResult.test('class A {\n  async get(ctx: Call): Promise<Thing> {')).toBe(true);
  for (const honest of [
    'Math.trunc(nanos / 1_000_000)',
    'Object.keys(value).toSorted()',
    "text.split('/')",
    'const pattern = /^a / x$/;',
    'new Set(list).size',
  ]) {
    expect([honest, offences(` ${codeOf(honest)}`)]).toEqual([honest, []]);
  }
});
