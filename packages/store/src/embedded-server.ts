/** One life of the server's process: started until it answers, watched by a guard, stopped in order. */

import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, limits } from '@assay/core';
import type { Binaries } from './embedded-binaries.ts';
import type { Cluster } from './embedded-cluster.ts';
import {
  clearStaleSocket,
  evictOrphan,
  guard,
  markerArguments,
  readPostmaster,
  stopProcess,
} from './embedded-process.ts';

/** A server that answers. */
export interface RunningServer {
  readonly pid: number;
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** What a launch needs to know. */
export interface LaunchOptions {
  readonly binaries: Binaries;
  readonly cluster: Cluster;
  readonly socketDir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly log: (line: string) => void;
}

/**
 * Starts the server and waits until it answers, recovery included. Processes of a killed predecessor take a moment to
 * notice, so a start that meets them waits for them. Refuses `store.locked` when another start was faster.
 */
export async function launch(options: LaunchOptions): Promise<RunningServer> {
  const untilMs = performance.now() + limits.databaseStartMs;
  for (;;) {
    await evictOrphan(options.cluster.pgdata, options.log);
    await clearStaleSocket(options.socketDir);
    const logStart = await rotate(options.logFile);
    const server = await start(options);
    const problem = await untilReady(options.cluster.pgdata, server, untilMs);
    if (problem === undefined) return server;
    await server.stop();
    const output = (await readFile(options.logFile)).subarray(logStart).toString('utf8').trim();
    if (output.includes('lock file "postmaster.pid" already exists')) continue;
    if (output.includes('pre-existing shared memory block') && performance.now() < untilMs) {
      await sleep(100);
      continue;
    }
    throw new Fault('store.unavailable', `PostgreSQL does not start (${problem}): ${output.slice(-2000)}`, {
      cause: undefined,
      retry: false,
    });
  }
}

async function start({ binaries, cluster, socketDir, settings, logFile }: LaunchOptions): Promise<RunningServer> {
  const args = ['-D', cluster.dataArgument, ...(await markerArguments(cluster.pgdata))];
  args.push('-c', `unix_socket_directories=${socketDir}`);
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const logHandle = await open(logFile, 'a', 0o600);
  // Its own process group: Ctrl-C in a terminal reaches only us, and we stop it when our work is done.
  const child = spawn(join(binaries.binDir, 'postgres'), args, {
    cwd: cluster.pgdata,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
    stdio: ['ignore', logHandle.fd, logHandle.fd],
    detached: true,
    ...cluster.user,
  });
  const spawned = await spawnOutcome(child);
  await logHandle.close();
  if (spawned) throw new Fault('store.unavailable', 'PostgreSQL cannot run here', { cause: spawned, retry: false });
  const pid = child.pid ?? 0;
  const dismiss = guard(pid, cluster.user);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      dismiss();
      resolve(signal ?? `status ${code}`);
    });
  });
  return {
    pid,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) await stopProcess(pid);
      await ended;
    },
  };
}

async function spawnOutcome(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}

/** Why the server does not answer, or undefined as soon as it does. */
async function untilReady(pgdata: string, server: RunningServer, untilMs: number): Promise<string | undefined> {
  while (performance.now() < untilMs) {
    const ended = await Promise.race([server.ended, sleep(10)]);
    if (ended !== undefined) return ended;
    const found = await readPostmaster(pgdata);
    if (found?.pid === server.pid && found.ready) return undefined;
  }
  return 'it takes too long';
}

/** Keeps one old log file; returns where in the log this life begins. */
async function rotate(logFile: string): Promise<number> {
  const found = await stat(logFile).catch(() => undefined);
  if (!found || found.size < limits.databaseLogBytes) return found?.size ?? 0;
  await rename(logFile, `${logFile}.old`);
  return 0;
}
