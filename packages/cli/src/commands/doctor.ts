/** `assay doctor`: what this machine has and lacks, and what follows. */

import { spawnSync } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@assay/server';
import { localDriver } from '@assay/worker';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { checkout, defaultStateDir } from '../config.ts';
import { paint, print } from '../terminal.ts';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'problem';
  readonly text: string;
}

export const doctorCommand: Command = {
  name: 'doctor',
  usage: 'doctor [--json]',
  summary: 'Says what this machine has and lacks, and what follows from it.',
  options: { json: { kind: 'flag', doc: 'print JSON' } },
  positionals: [],
  run,
};

const gib = 1024 ** 3;

function machine(): Finding[] {
  const cores = availableParallelism();
  const memory = totalmem() / gib;
  return [
    { what: 'Node', state: 'ok', text: `${process.version} runs Assay` },
    {
      what: 'processor',
      state: cores >= 2 ? 'ok' : 'problem',
      text: cores >= 2 ? `${cores} cores` : 'one core: the demo works, but slowly',
    },
    {
      what: 'memory',
      state: memory >= 3 ? 'ok' : 'problem',
      text:
        memory >= 3
          ? `${memory.toFixed(1)} GiB, ${(freemem() / gib).toFixed(1)} free`
          : `${memory.toFixed(1)} GiB: four workers need about 2 GiB beside the database`,
    },
  ];
}

async function disk(): Promise<Finding> {
  const { bavail, bsize } = await statfs(checkout);
  const free = (bavail * bsize) / gib;
  return free >= 2
    ? { what: 'disk', state: 'ok', text: `${free.toFixed(0)} GiB free` }
    : { what: 'disk', state: 'problem', text: `${free.toFixed(1)} GiB free: make room for at least 2 GiB` };
}

async function sandbox(): Promise<Finding> {
  const report = await localDriver(join(defaultStateDir(), 'doctor'), () => undefined, systemClock).probe();
  return report.usable
    ? {
        what: 'sandbox wasm',
        state: 'ok',
        text: `${report.runners.map(({ runner }) => runner).join(', ')}: ${report.detail}`,
      }
    : { what: 'sandbox wasm', state: 'problem', text: report.detail };
}

/** A program that something else needs. */
function program(what: string, command: string, args: readonly string[], without: string): Finding {
  const result = spawnSync(command, [...args], { encoding: 'utf8', timeout: 5000 });
  if (result.status === 0) return { what, state: 'ok', text: result.stdout.trim().split('\n')[0] ?? '' };
  return { what, state: 'missing', text: without };
}

async function run(args: Arguments): Promise<number> {
  const findings = [
    ...machine(),
    await disk(),
    await sandbox(),
    program(
      'Docker',
      'docker',
      ['info', '--format', '{{.ServerVersion}}'],
      'no engine answers: units run in WebAssembly, which needs none',
    ),
    program('Chromium', 'chromium', ['--version'], 'not installed: the browser tests are skipped'),
    program('git', 'git', ['--version'], 'not installed: ./assay check cannot list the tree'),
  ];
  if (args.flag('json')) print(JSON.stringify(findings));
  else {
    const mark = { ok: paint('green', '✓'), missing: paint('yellow', '–'), problem: paint('red', '✗') } as const;
    for (const { what, state, text } of findings) print(`${mark[state]} ${what.padEnd(13)} ${text}`);
  }
  return findings.some((finding) => finding.state === 'problem') ? 1 : 0;
}
