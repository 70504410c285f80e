/**
 * `./assay test [filter…]`: the checks of the tree, then every test that this machine can run. The last line counts
 * them: `N passed, N failed, N skipped`; each skip is named before it with the outside program that is missing.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runSteps } from './steps.ts';

interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const filters = process.argv.slice(2);
const counts = filters.length === 0 ? await runSteps() : { passed: 0, failed: 0 };
const folder = mkdtempSync(join(tmpdir(), 'assay-test-'));
const reportFile = join(folder, 'report.json');

const child = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...filters,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
const exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));

let report: TestReport | undefined;
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8')) as TestReport;
} catch {
  console.log('The test runner ended without a report.');
}
rmSync(folder, { recursive: true, force: true });

const skipped = (report?.testResults ?? []).flatMap((file) =>
  file.assertionResults
    .filter((test) => test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
    .map((test) => test.fullName),
);
for (const name of skipped) console.log(`skipped: ${name}`);

// A file that fails before its first test counts as one failure.
const brokenFiles = (report?.testResults ?? []).filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
for (const file of brokenFiles) console.log(`failed to load: ${file.name}\n${file.message}`);

const passed = counts.passed + (report?.numPassedTests ?? 0);
let failed = counts.failed + (report?.numFailedTests ?? 0) + brokenFiles.length;
if (failed === 0 && exitCode !== 0) failed = 1;
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
