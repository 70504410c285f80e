/** Writes docs/reference/configuration.md from the tables of settings; `--check` compares instead. */

import type { JsonSchema } from '@assay/core';
import { settings, type Setting } from '../packages/server/src/config.ts';
import { optionalSettingFields, settingFields } from '../packages/worker/src/owner/settings.ts';
import { writeOrCheck } from './written.ts';

const rows = Object.values<Setting<unknown>>(settings).map(
  ({ variable, kind, usual, doc }) =>
    `| \`${variable}\` | ${kind.expects} | ${usual === undefined || usual === '' ? '' : `\`${usual}\``} | ${doc} |`,
);

/** What a value of the schema looks like. */
function valueOf(schema: JsonSchema): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => `\`${String(one)}\``).join(', ');
  if (schema['type'] === 'array') return 'a list of texts';
  if (schema['type'] === 'boolean') return '`true`, `false`';
  if (schema['type'] === 'string') return 'a text';
  return `${schema['type'] === 'integer' ? 'a whole number' : 'a number'}, ${String(schema['minimum'])} to ${String(schema['maximum'])}`;
}

const workerRows = Object.entries({ ...settingFields, ...optionalSettingFields }).map(([key, { schema, absent }]) => {
  const usual = absent === undefined ? '' : `\`${JSON.stringify(absent.value)}\``;
  return `| \`${key}\` | \`--${key.replaceAll('_', '-')}\` | ${valueOf(schema)} | ${usual} | ${String(schema['description'])} |`;
});

await writeOrCheck(
  'docs/reference/configuration.md',
  `# Configuration

This page is written by \`scripts/configuration.ts\` from \`packages/server/src/config.ts\` and
\`packages/worker/src/owner/settings.ts\`.

## A server

Every setting of a server is an environment variable. A wrong value stops the start, and all faults are reported at once.

| variable | value | default | what it does |
|---|---|---|---|
${rows.join('\n')}

## A worker

What the owner of a machine allows stands in \`settings.json\` in the worker's folder below the state folder, beside \`url\`
and \`name\`; \`assay worker join\` writes it. A flag of \`assay worker\` goes before the file. An empty value of a flag, such as
\`--hours ''\`, or \`--no-egress\` brings the default back. A key that is not listed here, or a value out of its bounds, stops
the start.

| key | flag | value | default | what it does |
|---|---|---|---|---|
${workerRows.join('\n')}
`,
);
