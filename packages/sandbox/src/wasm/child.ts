/** Starting and ending the locked-down process that holds a unit. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { Fault, limits } from '@assay/core';
import { isLeaving } from './process-figures.ts';
import type { Runtime } from './runtime.ts';

export interface Child {
  readonly pid: number;
  readonly orders: Writable;
  readonly frames: Readable;
  /** The last words of Node itself, for a report of our own fault. */
  stderrTail(): string;
  /** How it ended, once it did. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL to its process group; resolves when none of its threads will run again, be its memory returned or not. */
  end(): Promise<void>;
  /** SIGKILL to its process group, until no process of the group is left. */
  destroy(): Promise<void>;
}

export interface ChildOptions {
  readonly cpuSeconds: number;
  /** `wait` rehearses before it is ready, which pays where the unit is not there yet. */
  readonly mode: 'run' | 'wait' | 'snapshot';
}

const tailChars = 4000;

/**
 * KiB of stack, by the kernel's bound and by V8's. Where V8's own stack ends depends on what it has compiled by then, so
 * there is enough that programs come to a bound of their interpreter first, which is the same everywhere; recursion that
 * never ends may still end at V8's.
 */
const stackKib = { kernel: 65_520, v8: 60_000 };

/** Sets what the kernel lets the process have before Node starts: no core files, no file writes, few descriptors. */
const wrapper = `ulimit -s ${stackKib.kernel} && ulimit -c 0 && ulimit -f 0 && ulimit -n "$0" && ulimit -t "$1" && shift && exec "$@"`;

/** Spawns the child in a process group of its own, behind the kernel's walls, unprivileged where this process is root. */
export function spawnChild(runtime: Runtime, options: ChildOptions): Child {
  const flags = [
    `--stack-size=${stackKib.v8}`,
    ...runtime.v8Flags,
    '--permission',
    `--allow-fs-read=${runtime.folder}/`,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    '--no-warnings',
    '--no-experimental-websocket',
    `${runtime.folder}/${runtime.main}`,
    runtime.folder,
    options.mode,
  ];
  const { walls, identity } = runtime;
  const bounds = [String(limits.sandboxDescriptors), String(options.cpuSeconds)];
  const command = [...bounds, ...walls.command, runtime.node, ...flags];
  const process = spawn('/bin/sh', ['-c', wrapper, ...command], {
    cwd: '/',
    env: { TZ: 'UTC', LANG: 'C.UTF-8' },
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    ...(identity && !walls.changesUser ? { uid: identity.uid, gid: identity.gid } : {}),
  });
  return wrap(process);
}

/** Why no child would start: what the kernel's bounds on this process keep it from setting; undefined where nothing does. */
export async function boundsFault({
  walls,
  identity,
}: Pick<Runtime, 'walls' | 'identity'>): Promise<string | undefined> {
  const command = ['-c', wrapper, String(limits.sandboxDescriptors), '1', '/bin/true'];
  const user = identity && !walls.changesUser ? { uid: identity.uid, gid: identity.gid } : {};
  try {
    await promisify(execFile)('/bin/sh', command, { cwd: '/', env: {}, timeout: 5000, ...user });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    const why = (stderr?.trim() || message).slice(-200);
    return `its process needs ${stackKib.kernel} KiB of stack and ${limits.sandboxDescriptors} descriptors, which this one may not give it (${why}): raise the hard limits (LimitSTACK, LimitNOFILE)`;
  }
}

function wrap(process: ChildProcess): Child {
  const { pid, stdin, stderr } = process;
  const frames = process.stdio[3] as Readable | undefined;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    process.once('error', () => resolve({ code: null, signal: null }));
    process.once('close', (code, signal) => resolve({ code, signal }));
  });
  if (pid === undefined || !stdin || !stderr || !frames) {
    throw new Fault('sandbox.fault', 'the sandbox process did not start', { retry: true });
  }
  let tail = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-tailChars);
  });
  for (const stream of [stdin, stderr, frames]) stream.on('error', () => {});
  const hangUp = () => {
    frames.destroy();
    stdin.destroy();
  };
  return {
    pid,
    orders: stdin,
    frames,
    ended,
    stderrTail: () => tail,
    async end() {
      hangUp();
      // The kernel kills a group in one step: nobody in it can fork his way out.
      signalGroup(pid, 'SIGKILL');
      const gone = ended.then(() => true);
      while (!isLeaving(pid) && (await Promise.race([gone, pause(1)])) !== true);
    },
    async destroy() {
      hangUp();
      while (signalGroup(pid, 'SIGKILL')) await Promise.race([ended, pause(5)]);
      await ended;
    },
  };
}

/** Whether there was anyone to signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
