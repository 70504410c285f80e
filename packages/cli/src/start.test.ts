/** What a command loads before it does anything: the whole product takes a second, and most commands need little of it. */

import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const here = import.meta.dirname;

/** The modules that `file` loads with it, itself among them; types and what `import()` loads later do not count. */
function loadedBy(file: string, seen = new Set<string>()): string[] {
  const text = readFileSync(join(here, file), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/^(?:im|ex)port (?!type\b)(?:[^;']* from )?'([^']+)';$/gm)) {
    const own = specifier.startsWith('.');
    const found = own ? relative(here, resolve(here, file, '..', specifier)) : specifier;
    if (seen.has(found)) continue;
    seen.add(found);
    if (own) loadedBy(found, seen);
  }
  return [...seen];
}

test('help and the table of commands load no command and no package', () => {
  const loaded = loadedBy('main.ts');
  expect(loaded).toContain('commands.ts');
  expect(loaded.filter((module) => module.startsWith('commands/') || module.startsWith('@assay/'))).toEqual([]);
});

test.each(['bans', 'disputes', 'jobs', 'outbox', 'run', 'verify'])(
  '%s loads nothing of a server or a worker',
  (name) => {
    const loaded = loadedBy(`commands/${name}.ts`);
    expect(loaded).toContain('@assay/core');
    for (const heavy of ['@assay/server', '@assay/worker', '@assay/sandbox']) expect(loaded).not.toContain(heavy);
  },
);

test.each(['audit', 'doctor', 'images', 'worker', 'worker-control', 'worker-join'])(
  '%s loads nothing of a server',
  (name) => {
    const loaded = loadedBy(`commands/${name}.ts`);
    expect(loaded).toContain('@assay/worker');
    expect(loaded).not.toContain('@assay/server');
  },
);
