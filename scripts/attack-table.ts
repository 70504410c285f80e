/**
 * Writes the table of attacks in docs/security-runner.md from the records of the last full run of the attack suite;
 * `--check` compares instead. `--from FOLDER` takes the records of a run (ASSAY_ATTACK_RESULTS names its folder) first.
 */

import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { writeOrCheck } from './written.ts';

interface Row {
  readonly id: string;
  readonly group: string;
  readonly what: string;
  readonly verdict: 'held' | 'escaped' | 'odd' | 'unsaid';
  readonly how: string;
  /** Why an attack is known to get through. */
  readonly residual?: string;
}

interface Run {
  readonly name: string;
  readonly date: string;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

const records = 'docs/attack-runs';
const page = 'docs/security-runner.md';
const begin = '<!-- attacks: written by scripts/attack-table.ts -->';
const end = '<!-- end of attacks -->';

/** Numbered notes below the table, each text once. */
function footnotes() {
  const texts: string[] = [];
  return {
    texts,
    mark(text: string): string {
      if (!texts.includes(text)) texts.push(text);
      return `[${texts.indexOf(text) + 1}]`;
    },
  };
}

function cell(row: Row | undefined, mark: (text: string) => string): string {
  if (row === undefined) return 'not run';
  switch (row.verdict) {
    case 'held':
      if (row.residual !== undefined) return `held this time ${mark(row.residual)}`;
      return row.how === 'exit' ? 'held' : row.how;
    case 'unsaid':
      return `– ${mark(row.how)}`;
    case 'escaped':
      return row.residual === undefined ? 'ESCAPED' : `not held ${mark(row.residual)}`;
    case 'odd':
      return `odd: ${row.how}`;
  }
}

/** A Markdown table with columns of even width, as the formatter writes it. */
function table(rows: readonly (readonly string[])[]): string[] {
  const escaped = rows.map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = (escaped[0] ?? []).map((_, column) =>
    Math.max(3, ...escaped.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = escaped;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

function tableOf(runs: readonly Run[]): string[] {
  const notes = footnotes();
  const found = runs.map((run) => new Map(run.rows.map((row) => [row.id, row])));
  const all = runs[0]?.rows ?? [];
  const body = all.map(({ id, group, what }) => [
    group,
    `\`${id}\``,
    what,
    ...found.map((rows) => cell(rows.get(id), notes.mark)),
  ]);
  const summary = runs.map(({ name, date, kernel, versions, rows }) => {
    const count = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
    const of = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
    const tried = rows.length - count('unsaid');
    return [name, date, kernel, of.join(', '), String(tried), String(count('held')), String(tried - count('held'))];
  });
  return [
    ...table([['run', 'date', 'kernel', 'versions', 'attacks', 'held', 'not held'], ...summary]),
    '',
    ...table([['group', 'attack', 'what it tries', ...runs.map((run) => run.name)], ...body]),
    '',
    ...notes.texts.map((text, index) => `${index + 1}. ${text}`),
  ];
}

const from = process.argv.indexOf('--from');
if (from > 0) {
  const folder = process.argv[from + 1] ?? '';
  await mkdir(records, { recursive: true });
  for (const name of await readdir(folder)) await copyFile(join(folder, name), join(records, name));
}
const names = (await readdir(records)).filter((name) => name.endsWith('.json')).toSorted();
const runs = await Promise.all(
  names.map(async (name) => JSON.parse(await readFile(join(records, name), 'utf8')) as Run),
);
const text = await readFile(page, 'utf8');
const [before, rest = ''] = text.split(begin);
const after = rest.split(end)[1];
if (after === undefined) throw new Error(`${page} has no place for the table`);
await writeOrCheck(page, [`${before}${begin}`, '', ...tableOf(runs), '', `${end}${after}`].join('\n'));
