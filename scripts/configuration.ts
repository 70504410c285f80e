/** Writes docs/reference/configuration.md from the server's table of settings; `--check` compares instead. */

import { settings, type Setting } from '../packages/server/src/config.ts';
import { writeOrCheck } from './written.ts';

const rows = Object.values<Setting<unknown>>(settings).map(
  ({ variable, kind, usual, doc }) =>
    `| \`${variable}\` | ${kind.expects} | ${usual === undefined || usual === '' ? '' : `\`${usual}\``} | ${doc} |`,
);

await writeOrCheck(
  'docs/reference/configuration.md',
  `# Configuration

Every setting of a server is an environment variable. A wrong value stops the start, and all faults are reported at once.
This page is written by \`scripts/configuration.ts\` from \`packages/server/src/config.ts\`.

| variable | value | default | what it does |
|---|---|---|---|
${rows.join('\n')}
`,
);
