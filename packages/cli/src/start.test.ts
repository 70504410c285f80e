/** What a command loads before it does anything: the whole product takes a second, and most commands need little of it. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';

const packages = join(import.meta.dirname, '..', '..');

/**
 * The modules that `file` loads with it, as `core/src/index.ts` or the names of npm packages; types do not count, nor
 * what `import()` loads later.
 */
function loadedBy(file: string, seen = new Set<string>()): string[] {
  const text = readFileSync(join(packages, file), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/^(?:im|ex)port (?!type\b)(?:[^;']* from )?'([^']+)';$/gm)) {
    const ours = /^@assay\/(\w+)$/.exec(specifier)?.[1];
    const own = specifier.startsWith('.') ? posix.join(file, '..', specifier) : ours && `${ours}/src/index.ts`;
    if (seen.has(own ?? specifier)) continue;
    seen.add(own ?? specifier);
    if (own !== undefined) loadedBy(own, seen);
  }
  return [...seen];
}

function partsOf(file: string): Set<string> {
  return new Set(loadedBy(file).map((module) => /^(\w+)\/src\//.exec(module)?.[1] ?? module));
}

test('help and the table of commands load no command and no package', () => {
  const loaded = loadedBy('cli/src/main.ts');
  expect(loaded).toContain('cli/src/commands.ts');
  expect(loaded.filter((module) => !module.startsWith('node:') && !/^cli\/src\/[a-z-]+\.ts$/.test(module))).toEqual([]);
});

const ofServers = ['demo', 'fabric', 'fabric-deploy', 'fabric-vote', 'ledger-verify', 'server'];
const ofWorkers = ['audit', 'doctor', 'images', 'worker', 'worker-control', 'worker-join'];
const ofCustomers = readdirSync(join(packages, 'cli/src/commands'))
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => file.replace('.ts', ''))
  .filter((name) => !ofServers.includes(name) && !ofWorkers.includes(name));

test.each(ofCustomers)('%s loads nothing of a server or a worker', (name) => {
  const parts = partsOf(`cli/src/commands/${name}.ts`);
  expect(parts).toContain('core');
  for (const heavy of ['server', 'worker', 'sandbox', 'store']) expect(parts).not.toContain(heavy);
});

test.each(ofWorkers)('%s loads nothing of a server', (name) => {
  const parts = partsOf(`cli/src/commands/${name}.ts`);
  expect(parts).toContain('worker');
  for (const heavy of ['server', 'store', 'ledger']) expect(parts).not.toContain(heavy);
});

test.each(ofServers)('%s loads no client of Fabric', (name) => {
  const parts = partsOf(`cli/src/commands/${name}.ts`);
  expect(parts).toContain('ledger');
  expect(partsOf('ledger/src/fabric/fabric-ledger.ts')).toContain('@grpc/grpc-js');
  expect([...parts].filter((part) => /^@(?:hyperledger|grpc)\//.test(part))).toEqual([]);
});
