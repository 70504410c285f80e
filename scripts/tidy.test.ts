/** The tree's own rules: who may import whom, how long a file may be, what words and calls may not appear. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './steps.ts';

/** Which packages each package may import: the design's table. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  verify: ['core'],
  contracts: ['core'],
  store: ['core'],
  objects: ['core'],
  ledger: ['core', 'contracts', 'store'],
  payments: ['core'],
  sandbox: ['core'],
  market: ['core', 'verify'],
  worker: ['core', 'sandbox', 'client'],
  server: ['core', 'verify', 'contracts', 'store', 'objects', 'ledger', 'payments', 'market'],
  client: ['core'],
  web: ['core', 'verify', 'client'],
  cli: ['core', 'server', 'worker', 'sandbox', 'client', 'verify'],
  testkit: '*'.split(''),
};

const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = tracked.filter((file) => /\.tsx?$/.test(file) && !file.includes('/generated/'));
const ownText = 'scripts/tidy.test.ts';
const texts = new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const written = sources.filter((file) => file !== ownText);
const isTest = (file: string): boolean => /\.(test|conformance|setup)\.tsx?$/.test(file);
const packageOf = (file: string): string | undefined => /^packages\/([^/]+)\/src\//.exec(file)?.[1];

function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g);
  return [...found].map((match) => match[1] ?? '');
}

/** The files that break a rule, as `file: what`. */
function offences(files: readonly string[], check: (file: string, text: string) => readonly string[]): string[] {
  return files.flatMap((file) => check(file, texts.get(file) ?? '').map((what) => `${file}: ${what}`));
}

function matches(pattern: RegExp): (file: string, text: string) => string[] {
  return (_file, text) =>
    text
      .split('\n')
      .filter((line) => pattern.test(line) && !/^\s*(?:\/\/|\*|\/\*\*)/.test(line))
      .map((line) => line.trim());
}

describe('packages', () => {
  test('each has a place in the import table', () => {
    const names = new Set(sources.map(packageOf).filter((name) => name !== undefined));
    expect([...names].toSorted()).toEqual(Object.keys(mayImport).toSorted());
  });

  test('import only what the table allows, by the other package’s face', () => {
    const found = offences(sources, (file, text) => {
      const own = packageOf(file);
      if (own === undefined) return [];
      const allowed = mayImport[own] ?? [];
      return importsOf(text).filter((specifier) => {
        if (specifier.startsWith('.')) {
          return packageOf(posix.join(dirname(file), specifier)) !== own && !specifier.endsWith('package.json');
        }
        const match = /^@assay\/([^/]+)(\/.+)?$/.exec(specifier);
        if (!match) return own === 'core' && !isTest(file);
        if (match[2] !== undefined && match[2] !== '/conformance' && match[2] !== '/testing') return true;
        if (isTest(file)) return false;
        return !allowed.includes('*') && !allowed.includes(match[1] ?? '');
      });
    });
    expect(found).toEqual([]);
  });

  test('are not imported by the programs when they are for tests only', () => {
    const found = offences(
      sources.filter((file) => !isTest(file) && packageOf(file) !== undefined),
      (file, text) =>
        importsOf(text).filter(
          (specifier) =>
            (specifier.endsWith('/conformance') || specifier.endsWith('/testing')) && packageOf(file) !== 'testkit',
        ),
    );
    expect(found).toEqual([]);
  });

  test('show one index file, without stars and without inner barrels', () => {
    expect(offences(sources, matches(/^export \*/))).toEqual([]);
    const barrels = sources.filter((file) => /\/src\/.+\/index\.tsx?$/.test(file));
    expect(barrels).toEqual([]);
  });
});

/** An index is a list of names and grows with its package. */
const isFace = (file: string): boolean => file.endsWith('/src/index.ts');

describe('files', () => {
  test('end at 300 lines', () => {
    const long = sources.filter(
      (file) => !isTest(file) && !isFace(file) && (texts.get(file) ?? '').split('\n').length > 301,
    );
    expect(long).toEqual([]);
  });

  test('are named by a domain noun in kebab-case', () => {
    const banned = /^(?:utils?|helpers?|shared|common|managers?|misc|constants|types)\b/;
    const wrong = sources.filter((file) => {
      const name = basename(file).replace(/\.tsx?$/, '');
      return banned.test(name) || !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*$/.test(name);
    });
    expect(wrong).toEqual([]);
  });

  test('name no machine path and no registry host', () => {
    // Joined here, so that this file does not hold what it forbids.
    const hosts = [
      ['registry', 'npmjs'],
      ['proxy', 'golang'],
      ['deb', 'debian'],
      ['pypi', 'org'],
      ['crates', 'io'],
    ].map((words) => words.join('.'));
    const machine = new RegExp(
      `(?:^|[\\s'"\`(=])/(?:work/(?!available|exchange|logs|objects)|root/)|${hosts.map((host) => host.replace('.', '\\.')).join('|')}`,
    );
    const readable = tracked.filter((file) => /\.(?:tsx?|md|json|ya?ml|sql|py|sh)$|^assay$|^\.ci\//.test(file));
    const wrong = readable.filter((file) => machine.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});

describe('code', () => {
  const product = sources.filter((file) => !isTest(file) && packageOf(file) !== undefined);

  test('reads the environment only in config files', () => {
    const found = offences(
      product.filter((file) => basename(file) !== 'config.ts'),
      matches(/\bprocess\.env\b/),
    );
    expect(found).toEqual([]);
  });

  test('reads the wall clock only in the system clock', () => {
    const found = offences(
      product.filter((file) => basename(file) !== 'system-clock.ts' && packageOf(file) !== 'web'),
      matches(/\bDate\.now\(|\bnew Date\(\)/),
    );
    expect(found).toEqual([]);
  });

  test('has no escape hatches', () => {
    expect(
      offences(sources, matches(/@ts-(?:ignore|nocheck|expect-error)|\bas any\b|\b(?:it|test|describe)\.only\b/)),
    ).toEqual([]);
    expect(offences(written, matches(/\b(?:TODO|FIXME|HACK)\b(?!\()/))).toEqual([]);
  });

  test('uses no enum, namespace or decorator: types are stripped, not compiled', () => {
    expect(
      offences(product, matches(/^\s*(?:export\s+)?(?:const\s+)?enum\s|^\s*(?:export\s+)?namespace\s|^\s*@[A-Z]\w+\(/)),
    ).toEqual([]);
  });

  test('money is never a number', () => {
    expect(offences(product, matches(/\b(?:minor|amount\w*|price\w*|fee)\??:\s*number\b/i))).toEqual([]);
  });
});

describe('the console', () => {
  test('has a sentence for every fact of the contracts', () => {
    const [, list = ''] = /factNames = \[([^\]]*)\]/.exec(texts.get('packages/contracts/src/facts.ts') ?? '') ?? [];
    const names = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '');
    expect(names).toContain('ContractListed');
    const words = texts.get('packages/web/src/words.ts') ?? '';
    expect(names.filter((name) => !words.includes(`.${name}': '`))).toEqual([]);
  });
});

describe('documents', () => {
  test('decisions are numbered without gaps', () => {
    const numbers = tracked
      .map((file) => /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1])
      .filter((number) => number !== undefined)
      .toSorted();
    expect(numbers).toEqual(numbers.map((_, index) => String(index + 1).padStart(4, '0')));
  });

  test('link only to files that exist', () => {
    const broken = tracked
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8');
        return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map((match) => posix.normalize(posix.join(dirname(file), match[1] ?? '')))
          .filter((target) => !existsSync(join(root, target)))
          .map((target) => `${file} → ${target}`);
      });
    expect(broken).toEqual([]);
  });
});
