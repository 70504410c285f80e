/** The `assay` command as a child process with a state of its own, watched with all its descendants. */

import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, lives, type Process } from './process-tree.setup.ts';

const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));

export interface Started {
  /** Everything that it printed so far, on both streams. */
  text(): string;
  readonly process: ChildProcess;
  /** Its living descendants. */
  family(): Process[];
  /** How it ended, once it did: an exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
  hasEnded(): boolean;
}

export interface CommandProcess {
  /** With `input` as its standard input; without one there is none. */
  start(args: readonly string[], environment?: Readonly<Record<string, string>>, input?: string): Started;
  /** Processes of any start that live although nothing of the command should. */
  left(): Process[];
  stop(): void;
}

/** A fresh folder with room for a command's state and temporary files, and an empty console. */
export async function commandFolder(prefix: string): Promise<{ folder: string; command: CommandProcess }> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  // A root's database and sandboxes run as others, who must be able to reach their folders.
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777);
  await mkdir(join(folder, 'console'));
  await writeFile(join(folder, 'console', 'index.html'), '<!doctype html><title>none</title>');
  return { folder, command: commandProcess(join(folder, 'state'), join(folder, 'tmp')) };
}

/** Commands whose state lies in `stateDir` and whose temporary files lie in `scratch`. */
export function commandProcess(stateDir: string, scratch: string): CommandProcess {
  const seen = new Map<string, Process>();
  let running: Started | undefined;
  const look = (): Process[] => {
    const pid = running?.process.pid;
    const family = pid === undefined || running?.hasEnded() ? [] : descendants(pid);
    for (const one of family) seen.set(`${one.pid} ${one.started}`, one);
    return family;
  };
  const watch = setInterval(look, 100);
  return {
    start(args, environment = {}, input) {
      running = start(args, { ...environment, ASSAY_STATE_DIR: stateDir, TMPDIR: scratch }, look, input);
      return running;
    },
    left: () => [...seen.values()].filter(lives),
    stop() {
      clearInterval(watch);
      running?.process.kill('SIGKILL');
    },
  };
}

function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  family: () => Process[],
  input: string | undefined,
): Started {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: 'pipe',
  });
  // A command may be over before it read what it was given.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let text = '';
  let over = false;
  const keep = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      over = true;
      resolve(code ?? signal ?? 'gone');
    });
  });
  return { text: () => text, process: child, family, ended, hasEnded: () => over };
}

/** What `find` finds, as soon as it does; undefined after `ms`. */
export async function soon<T>(ms: number, find: () => T | undefined): Promise<T | undefined> {
  const started = performance.now();
  for (;;) {
    const found = find();
    if (found !== undefined || performance.now() - started > ms) return found;
    await sleep(20);
  }
}
