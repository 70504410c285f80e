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
import { markedProcess, processMark, startOf } from './process-identity.ts';

const mark = 'ASSAY_FABRIC_NODE';
/** More than the last lines that anybody is shown. */
const logEndBytes = 64 * 1024;

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
    await writeSecret(folders.pid(program.name), await processMark(pid));
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
export async function recordedPrograms(folders: Folders): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const name of await namesIn(dirname(folders.node('any').home))) {
    const pid = await markedProcess(await readFile(folders.pid(name), 'utf8').catch(() => ''));
    if (pid !== undefined) found.set(name, pid);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/**
 * Ends the programs: politely, then not. Returns the names of those that ran; faults where even that does not end one,
 * as when it waits for a disk that does not answer.
 */
export async function stopPrograms(folders: Folders, onlyNames?: readonly string[]): Promise<string[]> {
  const running = [...(await runningPrograms(folders))].filter(([name]) => onlyNames?.includes(name) ?? true);
  let left = await stillRunning(running.map(([name, pid]) => ({ name, pid, start: undefined })));
  for (const { pid } of left) signal(pid, 'SIGTERM');
  const startedMs = performance.now();
  while (left.length > 0) {
    const tookMs = performance.now() - startedMs;
    if (tookMs > 2 * limits.fabricStopMs) {
      const names = left.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
      throw new Fault('ledger.unavailable', `${names} cannot be ended`, { retry: false });
    }
    if (tookMs > limits.fabricStopMs) for (const { pid } of left) signal(pid, 'SIGKILL');
    await sleep(20);
    left = await stillRunning(left);
  }
  await Promise.all(running.map(([name]) => rm(folders.pid(name), { force: true })));
  return running.map(([name]) => name);
}

interface Running {
  readonly name: string;
  readonly pid: number;
  readonly start: string | undefined;
}

/** Those that have not ended; a number that somebody else has got meanwhile is none of them. */
async function stillRunning(programs: readonly Running[]): Promise<Running[]> {
  const now = await Promise.all(programs.map(async (program) => ({ program, start: await startOf(program.pid) })));
  return now.flatMap(({ program, start }) =>
    start !== undefined && (program.start ?? start) === start ? [{ ...program, start }] : [],
  );
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The last lines of a node's log, for an error that says why. A log may have any length, so only its end is read. */
export async function lastLines(path: string, count = 5): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, logEndBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n');
    return lines.slice(-count).join('\n');
  } finally {
    await file.close();
  }
}
