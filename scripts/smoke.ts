/**
 * Loads each program's entry and each package's face with plain Node: the test runner forgives syntax that Node's type
 * stripping refuses. Importing must start nothing, so entries are only checked for loading, in a child of their own.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { root } from './steps.ts';

let failures = 0;
for (const name of readdirSync(`${root}packages`).toSorted()) {
  const manifest = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, 'utf8')) as {
    exports?: Record<string, string>;
  };
  for (const [subpath, file] of Object.entries(manifest.exports ?? {})) {
    if (file.endsWith('.css') || subpath.startsWith('./conformance') || subpath.startsWith('./testing')) continue;
    if (!existsSync(`${root}packages/${name}/${file}`)) {
      console.log(`packages/${name} exports ${file}, which does not exist`);
      failures += 1;
      continue;
    }
    const specifier = `@assay/${name}${subpath.slice(1)}`;
    const from = JSON.stringify(`${root}packages/${name}/${file}`);
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', `await import(${from})`], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (result.status !== 0) {
      console.log(`${specifier} does not load:\n${result.stderr.trimEnd()}`);
      failures += 1;
    }
  }
}
const help = spawnSync(process.execPath, [`${root}packages/cli/src/main.ts`, 'help'], {
  encoding: 'utf8',
  timeout: 60_000,
});
if (help.status !== 0 || !help.stdout.includes('assay demo')) {
  console.log(`assay help ends with ${String(help.status)}:\n${help.stdout}${help.stderr}`);
  failures += 1;
}
process.exitCode = failures === 0 ? 0 : 1;
