/** Finds the command, parses its arguments, runs it, and turns whatever goes wrong into a sentence and an exit status. */

import { parseArguments, UsageError } from './arguments.ts';
import type { Command, CommandRow } from './command.ts';
import { commands } from './commands.ts';
import { reuseCompiledCode } from './compiled-code.ts';
import { compiledDir } from './config.ts';
import { print, printError } from './terminal.ts';

/** Exit statuses: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [word = 'help', ...rest] = argv;
  if (word === 'help' || word === '--help' || word === '-h')
    return help(rest.length === 0 ? undefined : rest.join(' '));
  const found = findCommand(word, rest);
  if (!found) {
    const family = commands.filter((command) => command.name.startsWith(`${word} `)).map((command) => command.name);
    if (family.length > 0) printError(`assay: "${word}" needs a second word: ${family.join(', ')}`);
    else printError(`assay: there is no command "${word}". Try: assay help`);
    return 2;
  }
  if (found.rest.includes('--help')) return help(found.row.name);
  const command = await load(found.row);
  try {
    return await command.run(parseArguments(command, found.rest));
  } catch (error) {
    return report(error, found.row, command, found.rest.includes('--json'));
  }
}

function load(row: CommandRow): Promise<Command> {
  const folder = compiledDir();
  if (folder !== undefined && row.stays !== true) reuseCompiledCode(folder);
  return row.load();
}

/** Commands are one word or two (`jobs list`). */
function findCommand(word: string, rest: readonly string[]): { row: CommandRow; rest: readonly string[] } | undefined {
  const two = commands.find((row) => row.name === `${word} ${rest[0] ?? ''}`);
  if (two) return { row: two, rest: rest.slice(1) };
  const one = commands.find((row) => row.name === word);
  return one && { row: one, rest };
}

async function report(error: unknown, row: CommandRow, { usage }: Command, json: boolean): Promise<number> {
  if (error instanceof UsageError) {
    printError(`assay ${row.name}: ${error.message}\nusage: assay ${usage}`);
    return 2;
  }
  // Whatever throws one of these has loaded them; what ends well may do without.
  const { Fault, Refusal } = await import('@assay/core');
  if (error instanceof Refusal || error instanceof Fault) {
    const details = error instanceof Refusal ? error.details : {};
    if (json) printError(JSON.stringify({ error: { code: error.code, message: error.message, details } }));
    else printError(`assay: ${error.message} [${error.code}]${faultLines(details['faults'])}`);
    return 1;
  }
  if (error instanceof Error && error.name === 'AbortError') return 130;
  printError(
    `assay: something unexpected failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}

function faultLines(faults: unknown): string {
  // One fault is the message already, and so are faults without a place.
  if (!Array.isArray(faults) || faults.length < 2 || typeof faults[0] !== 'object') return '';
  return faults
    .map((fault: { path?: string; message?: string }) => `\n  ${fault.path ?? ''}: ${fault.message ?? ''}`)
    .join('');
}

async function help(topic: string | undefined): Promise<number> {
  if (topic === undefined) {
    print('Assay: a marketplace for verified computation.\n');
    const width = Math.max(...commands.map(({ name }) => name.length));
    for (const { name, summary } of commands) print(`  assay ${name.padEnd(width)}  ${summary}`);
    print('\n  assay check | test | bench   the checks, tests and benchmarks of this checkout');
    print('\nassay help COMMAND tells more.');
    return 0;
  }
  const chosen = commands.filter(({ name }) => name === topic || name.startsWith(`${topic} `));
  if (chosen.length === 0) {
    printError(`assay: there is no command "${topic}". Try: assay help`);
    return 2;
  }
  for (const row of chosen) {
    const { usage, options } = await load(row);
    print(`assay ${usage}\n  ${row.summary}`);
    for (const [name, option] of Object.entries(options)) {
      const value = option.kind === 'flag' ? '' : ` ${option.kind.toUpperCase()}`;
      const fallback = option.kind !== 'flag' && option.default !== undefined ? ` (default ${option.default})` : '';
      print(`  --${name}${value}  ${option.doc}${fallback}`);
    }
    print('');
  }
  return 0;
}
