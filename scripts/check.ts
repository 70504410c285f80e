/** `./assay check`: types, lint, format, unused code, smoke and generated pages, then the tree's own rules. */

import { runStep, runSteps, root } from './steps.ts';

const { failed } = await runSteps();
const tidy = await runStep({
  name: 'tidy',
  command: [process.execPath, `${root}node_modules/vitest/vitest.mjs`, 'run', 'scripts/tidy.test.ts'],
});
console.log(`${tidy.passed ? 'ok    ' : 'FAILED'} tidy (${(tidy.tookMs / 1000).toFixed(1)} s)`);
if (!tidy.passed) console.log(tidy.output.trimEnd());
process.exitCode = failed === 0 && tidy.passed ? 0 : 1;
