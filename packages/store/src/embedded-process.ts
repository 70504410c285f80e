/** The server's process: who runs on a data folder, whether its starter lives, and how it ends with its starter. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { limits, refuse } from '@assay/core';
import type { ServerUser } from './embedded-binaries.ts';

/** What the server's own lock file says. */
export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}

/** The lock file of the server on `pgdata`, if there is one. */
export async function readPostmaster(pgdata: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}

/** The arguments by which a later start recognises a server of ours and the process that started it. */
export async function markerArguments(pgdata: string): Promise<string[]> {
  return ['-c', `assay.data=${await realpath(pgdata)}`, '-c', `assay.starter=${process.pid}`];
}

/**
 * Clears `pgdata` of a server whose starter was killed: a living one is stopped in order (its committed data is safe
 * either way), a lock file whose process is gone or is another program is removed. Refuses `store.locked` while the
 * starter lives.
 */
export async function evictOrphan(pgdata: string, log: (line: string) => void): Promise<void> {
  const found = await readPostmaster(pgdata);
  if (!found) return;
  const seen = await inspect(found.pid);
  if (!seen?.command.includes('postgres')) {
    log(`removing the stale lock of process ${found.pid}`);
    if ((await readPostmaster(pgdata))?.pid === found.pid) await rm(join(pgdata, 'postmaster.pid'), { force: true });
    return;
  }
  const [, marker] = await markerArguments(pgdata);
  const starter = /assay\.starter=(\d+)/.exec(seen.command)?.[1];
  if (!seen.command.includes(marker ?? '') || seen.parentPid === Number(starter)) {
    throw refuse('store.locked', `process ${seen.parentPid} runs a server on ${pgdata}`, { pid: found.pid });
  }
  log(`stopping server ${found.pid}, whose starter ${starter} is gone`);
  await stopProcess(found.pid);
}

/**
 * Removes the socket's lock when its process is gone or, the number having been given out again, another program: the
 * server would take it for a living one.
 */
export async function clearStaleSocket(socketDir: string): Promise<void> {
  const lock = join(socketDir, '.s.PGSQL.5432.lock');
  const pid = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid) || (await inspect(pid))?.command.includes('postgres')) return;
  await rm(lock, { force: true });
  await rm(join(socketDir, '.s.PGSQL.5432'), { force: true });
}

/** Fast shutdown, and an immediate one (recovered from the log at the next start) if that takes too long. */
export async function stopProcess(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    const untilMs = performance.now() + limits.databaseStopMs;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    while (performance.now() < untilMs) {
      if (!(await inspect(pid))) return;
      await sleep(20);
    }
  }
}

/** The parent and command line of a process; undefined when it has ended. */
async function inspect(pid: number): Promise<{ parentPid: number; command: string } | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The name in brackets may hold anything; state and parent follow the last bracket. Z has ended, unreaped.
    const fields = /\) (\S) (\d+) [^)]*$/.exec(stat);
    if (!fields || fields[1] === 'Z' || fields[1] === 'X') return undefined;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return { parentPid: Number(fields[2]), command: command.replaceAll('\0', ' ') };
  }
  const listed = await promisify(execFile)('ps', ['-o', 'ppid=,command=', '-p', String(pid)]).catch(() => undefined);
  const fields = /^\s*(\d+)\s+(.*)$/m.exec(listed?.stdout ?? '');
  return fields ? { parentPid: Number(fields[1]), command: fields[2] ?? '' } : undefined;
}

/**
 * A shell that waits on a pipe from this process: when the process dies, however it dies, the pipe ends and the server
 * gets the signal for a fast shutdown. Returns what dismisses it once the server has ended.
 */
export function guard(pid: number, user: ServerUser | undefined): () => void {
  const child: ChildProcess = spawn('/bin/sh', ['-c', 'read -r line || kill -INT "$1"', 'assay-guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: {},
    ...user,
  });
  // Without a shell only the next start clears the server.
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as { unref?: () => void } | null)?.unref?.();
  return () => child.stdin?.end('\n');
}
