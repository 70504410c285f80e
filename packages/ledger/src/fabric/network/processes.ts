/**
 * The programs of a local network. They outlive the command that starts them, and they are found again by a mark in
 * their environment, whatever became of that command.
 */

import { spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { dirname } from 'node:path';
import { Fault, limits } from '@assay/core';
import { writeSecret, type Folders } from './folders.ts';

const mark = 'ASSAY_FABRIC_NODE';

export interface Program {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What programs get from ours: where the system's own programs lie, and nothing else. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts a program in a session of its own; its output is added to the node's log. */
export async function startProgram(folders: Folders, program: Program): Promise<number> {
  const { log, home } = folders.node(program.name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const output = await open(log, 'a', 0o600);
  try {
    const child = spawn(program.path, [...program.args], {
      cwd: home,
      detached: true,
      env: { PATH: systemPath, ...program.environment, [mark]: markOf(folders, program.name) },
      stdio: ['ignore', output.fd, output.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid ?? 0;
    await writeSecret(folders.pid(program.name), `${pid}\n`);
    return pid;
  } catch (error) {
    throw new Fault('ledger.unavailable', `${program.path} does not start`, { cause: error, retry: false });
  } finally {
    await output.close();
  }
}

function markOf(folders: Folders, name: string): string {
  return `${folders.root}#${name}`;
}

/** The running programs of the network, by name. */
export async function runningPrograms(folders: Folders): Promise<ReadonlyMap<string, number>> {
  const pids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.length > 0 ? markedPrograms(folders, pids) : recordedPrograms(folders);
}

async function markedPrograms(folders: Folders, pids: readonly number[]): Promise<ReadonlyMap<string, number>> {
  const wanted = `${mark}=${markOf(folders, '')}`;
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process of somebody else cannot be read, and one that ends meanwhile is gone.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      const entry = environment.split('\0').find((line) => line.startsWith(Buffer.from(wanted).toString('latin1')));
      return entry === undefined ? [] : [[entry.slice(entry.lastIndexOf('#') + 1), pid] as const];
    }),
  );
  return new Map(found.flat());
}

/** Where there is no /proc, the pid files must do. */
async function recordedPrograms(folders: Folders): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const name of await namesIn(dirname(folders.node('any').home))) {
    const pid = Number(await readFile(folders.pid(name), 'utf8').catch(() => '0'));
    if (pid > 0 && isAlive(pid)) found.set(name, pid);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ends the programs: politely, then not. Returns the names of those that ran. */
export async function stopPrograms(folders: Folders, onlyNames?: readonly string[]): Promise<string[]> {
  const running = [...(await runningPrograms(folders))].filter(([name]) => onlyNames?.includes(name) ?? true);
  for (const [, pid] of running) signal(pid, 'SIGTERM');
  const deadline = performance.now() + limits.fabricStopMs;
  let left = running.map(([, pid]) => pid);
  while (left.length > 0) {
    if (performance.now() > deadline) for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(20);
    left = left.filter(isAlive);
  }
  await Promise.all(running.map(([name]) => rm(folders.pid(name), { force: true })));
  return running.map(([name]) => name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last lines of a node's log, for an error that says why. */
export async function lastLines(path: string, count = 5): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
