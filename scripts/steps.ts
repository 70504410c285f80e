/** The steps of `./assay check`: what a machine can hold about the tree without running the product. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

export const root: string = fileURLToPath(new URL('..', import.meta.url));

const bin = (name: string): string => `${root}node_modules/.bin/${name}`;
const script = (name: string, ...args: string[]): readonly string[] => [
  process.execPath,
  `${root}scripts/${name}.ts`,
  ...args,
];

/** What two peers must agree on is tried to its last branch. */
const coverage = [
  'enabled',
  'include=packages/contracts/src/**/*.ts',
  'thresholds.100',
  'reporter=text',
  'reportsDirectory=node_modules/.cache/coverage',
].map((option) => `--coverage.${option}`);

export const steps: readonly Step[] = [
  { name: 'types', command: [bin('tsc')] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'unused', command: [process.execPath, `${root}node_modules/knip/bin/knip.js`] },
  { name: 'unused (strict)', command: [process.execPath, `${root}node_modules/knip/bin/knip.js`, '--strict'] },
  {
    name: 'contracts to the last branch',
    command: [process.execPath, `${root}node_modules/vitest/vitest.mjs`, 'run', 'packages/contracts', ...coverage],
  },
  { name: 'lock', command: script('lock', '--check') },
  { name: 'smoke', command: script('smoke') },
  { name: 'reference', command: script('reference', '--check') },
  { name: 'api document', command: script('openapi', '--check') },
  { name: 'client', command: script('client', '--check') },
  { name: 'configuration', command: script('configuration', '--check') },
  { name: 'attack table', command: script('attack-table', '--check') },
];

export interface StepResult {
  readonly step: Step;
  readonly passed: boolean;
  readonly output: string;
  readonly tookMs: number;
}

/** Runs one step to its end and keeps what it printed. */
export async function runStep(step: Step): Promise<StepResult> {
  const startedMs = performance.now();
  const [program = '', ...args] = step.command;
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)));
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  return { step, passed, output: Buffer.concat(chunks).toString('utf8'), tookMs: performance.now() - startedMs };
}

/** How many steps run at once: most of them use one core. */
const lanes = 2;

/** Runs all steps; prints a line each as it ends, and the output of those that failed. */
export async function runSteps(): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  const waiting = [...steps];
  const lane = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const { passed, output, tookMs } = await runStep(step);
      console.log(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${(tookMs / 1000).toFixed(1)} s)`);
      if (passed) continue;
      failed += 1;
      console.log(output.trimEnd());
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { passed: steps.length - failed, failed };
}
