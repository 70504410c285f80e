/** `assay audit`: what this machine's sandboxes ran, and whether somebody changed what is written of it. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readAudit, verifyAudit, type AuditLine, type ChainPoint } from '@assay/worker';
import { UsageError, type Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { workerStateDirs } from '../config.ts';
import { paint, plain, print, printError } from '../terminal.ts';

const state = { kind: 'text', doc: 'the folder that holds workers; by default wherever this machine’s are' } as const;

export const auditShowCommand: Command = {
  usage: 'audit show [--unit TEXT] [--since DATE] [--json] [--state DIR]',
  options: {
    unit: { kind: 'text', doc: 'only units whose name has this text' },
    since: { kind: 'text', doc: 'only from this instant on, as 2026-11-21 or 2026-11-21T12:00Z' },
    json: { kind: 'flag', doc: 'print the lines as they are written' },
    state,
  },
  positionals: [],
  run: show,
};

export const auditVerifyCommand: Command = {
  usage: 'audit verify [--kept N:HASH] [--json] [--state DIR]',
  options: {
    kept: { kind: 'text', doc: 'a head that this command printed earlier; it must still lie on the chain' },
    json: { kind: 'flag', doc: 'print JSON' },
    state,
  },
  positionals: [],
  run: verify,
};

async function show(args: Arguments): Promise<number> {
  const unit = args.text('unit') ?? '';
  const sinceText = args.text('since');
  const since = sinceText === undefined ? 0 : Date.parse(sinceText);
  if (Number.isNaN(since)) throw new UsageError('--since takes an instant such as 2026-11-21 or 2026-11-21T12:00Z');
  const { folders, nothing } = auditFolders(args);
  if (folders.length === 0) tellNothing(args, { kind: 'none', text: nothing }, nothing);
  for (const folder of folders) {
    for await (const { line } of readAudit(folder)) {
      if (Date.parse(line.at) < since || !labelOf(line).includes(unit)) continue;
      print(args.flag('json') ? JSON.stringify(line) : plain(describe(line)));
    }
  }
  return 0;
}

async function verify(args: Arguments): Promise<number> {
  const { folders, nothing } = auditFolders(args);
  const kept = keptHead(args.text('kept'));
  if (folders.length === 0) {
    // Whoever kept a head knows that a log was there.
    const text = kept ? `${nothing}: the log of the line ${kept.n} that was kept is gone, or lies elsewhere` : nothing;
    const problems = kept ? [{ where: '', what: text }] : [];
    tellNothing(args, { folder: null, lines: 0, starts: 0, open: 0, head: null, problems }, text);
    return kept ? 1 : 0;
  }
  if (kept && folders.length > 1) throw new UsageError('--kept is about one log: name its folder with --state');
  let sound = true;
  for (const folder of folders) {
    const report = await verifyAudit(folder, kept);
    sound &&= report.problems.length === 0;
    if (args.flag('json')) print(JSON.stringify({ folder, ...report }));
    else if (report.problems.length === 0) {
      const { lines, starts, open, head } = report;
      print(`${paint('green', '✓')} ${folder}: ${lines} lines, ${starts} starts, ${open} of them without an end yet`);
      print(`  keep this elsewhere to notice a log that was written anew: ${head.n}:${head.hash}`);
    } else for (const { where, what } of report.problems) print(paint('red', plain(`✗ ${folder}/${where} ${what}`)));
  }
  return sound ? 0 : 1;
}

/** The logs below the state folders: one of each worker, and the one that a demo's workers share. */
function auditFolders(args: Arguments): { readonly folders: readonly string[]; readonly nothing: string } {
  const given = args.text('state');
  const tops = given === undefined ? workerStateDirs() : [given];
  return { folders: tops.flatMap(logsBelow), nothing: `no sandbox has run yet under ${tops.join(' or ')}` };
}

/** There is no log: a sentence for people, the value for programs. */
function tellNothing(args: Arguments, value: object, text: string): void {
  if (args.flag('json')) print(JSON.stringify(value));
  else printError(text);
}

function logsBelow(top: string): string[] {
  const workers = join(top, 'worker');
  const names = existsSync(workers) ? readdirSync(workers).toSorted() : [];
  const folders = [top, join(top, 'demo'), join(top, 'demo-fabric'), ...names.map((name) => join(workers, name))];
  return folders.map((folder) => join(folder, 'sandbox', 'audit')).filter((folder) => existsSync(folder));
}

function keptHead(text: string | undefined): ChainPoint | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (!match) throw new UsageError('--kept takes a number and a hash, as audit verify prints them');
  return { n: Number(match[1]), hash: match[2] ?? '' };
}

function labelOf(line: AuditLine): string {
  return 'label' in line ? line.label : '';
}

function describe(line: AuditLine): string {
  const head = `${line.at}  ${String(line.n).padStart(6)}  ${line.kind.padEnd(6)}  ${labelOf(line)}`;
  switch (line.kind) {
    case 'start':
      return `${head}  ${line.driver}  ${line.runner}  ${[line.entryPoint, ...line.args].join(' ')}`;
    case 'end': {
      const { ending, usage, breach, connectionCount } = line;
      const how =
        ending.kind === 'exit'
          ? `exit ${ending.code}`
          : ending.kind === 'killed'
            ? `killed: ${ending.why}`
            : ending.kind === 'refused'
              ? `refused: ${ending.code}`
              : `fault: ${ending.message}`;
      const used = usage ? `  ${usage.wallMs} ms, ${usage.cpuMs} ms of CPU, ${usage.peakBytes} bytes` : '';
      const spoke = connectionCount > 0 ? `  ${connectionCount} connections` : '';
      return `${head}  ${how}${used}${spoke}${breach === null ? '' : `  BREACH: ${breach}`}`;
    }
    case 'lost':
      return `${head}  its process died with it`;
    case 'torn':
      return `${head}  a last line of ${line.bytes} bytes was not whole`;
    case 'purged':
      return `${head}  lines up to ${line.last} were removed for their ${line.why}`;
  }
}
