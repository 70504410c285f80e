/** Which process a number means: numbers are given out again, after a reboot from the beginning. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * When a process started, as this machine writes it; undefined where it has ended. One that ended and that nobody has
 * collected still answers signals, and counts as ended.
 */
export async function startOf(pid: number, proc = '/proc'): Promise<string | undefined> {
  const said = await readFile(`${proc}/${pid}/stat`, 'latin1').catch(() => undefined);
  if (said === undefined) return existsSync(`${proc}/self/stat`) ? undefined : startByPs(pid);
  // The program's name stands in brackets and may hold anything; the state is field 3, the start field 22.
  const fields = said.slice(said.lastIndexOf(')') + 2).split(' ');
  return isEnded(fields[0]) ? undefined : fields[19];
}

async function startByPs(pid: number): Promise<string | undefined> {
  // Ends with 1 where there is no such process.
  const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { env }).catch(() => ({
    stdout: '',
  }));
  const [state, ...start] = stdout.trim().split(/\s+/);
  return isEnded(state) ? undefined : start.join(' ');
}

function isEnded(state: string | undefined): boolean {
  return state === undefined || state === '' || /^[ZX]/.test(state);
}

/** A process as files name it: its number and its start. */
export async function processMark(pid: number): Promise<string> {
  return `${pid} ${(await startOf(pid)) ?? 'ended'}\n`;
}

/** The process that such a file names, undefined where it has ended, whoever has its number now. */
export async function markedProcess(text: string): Promise<number | undefined> {
  const [, pid = '', start] = /^(\d+) (.+)\n$/.exec(text) ?? [];
  return start !== undefined && (await startOf(Number(pid))) === start ? Number(pid) : undefined;
}
