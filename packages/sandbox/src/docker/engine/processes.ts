/** Processes as /proc shows them, told apart from later ones with the same number. */

import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks after boot: with the number it names one process for good. */
  readonly startTicks: string;
  /** The command line; empty for a zombie. */
  readonly command: readonly string[];
}

/** The process with this number now, undefined where there is none. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    if (fields[0] === 'Z') return undefined;
    return { pid, parent: Number(fields[1]), startTicks: fields[19] ?? '', command };
  } catch {
    return undefined;
  }
}

/** Every process that runs now. */
export function allProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** The processes that were started with this in their environment, and their descendants. */
export function processesWith(name: string, value: string): ProcessEntry[] {
  const all = allProcesses();
  const marked = all.filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${name}=${value}`);
    } catch {
      return false;
    }
  });
  return withDescendants(marked, all);
}

/** Kills the very processes, and resolves to whether all were gone within `waitMs`. */
export function killAll(entries: readonly ProcessEntry[], waitMs: number): Promise<boolean> {
  for (const entry of entries) signalProcess(entry, 'SIGKILL');
  return allGone(entries, waitMs);
}

/** `roots` and everything that descends from them. */
export function withDescendants(roots: readonly ProcessEntry[], all: readonly ProcessEntry[]): ProcessEntry[] {
  const found = new Map(roots.map((entry) => [entry.pid, entry]));
  for (let grew = true; grew;) {
    grew = false;
    for (const entry of all) {
      if (!found.has(entry.pid) && found.has(entry.parent)) {
        found.set(entry.pid, entry);
        grew = true;
      }
    }
  }
  return [...found.values()];
}

/** Whether the very process is still there. */
export function alive({ pid, startTicks }: Pick<ProcessEntry, 'pid' | 'startTicks'>): boolean {
  return readProcess(pid)?.startTicks === startTicks;
}

/** Sends `signal` to the process if it is still the same one. */
export function signalProcess(entry: Pick<ProcessEntry, 'pid' | 'startTicks'>, signal: NodeJS.Signals): void {
  if (!alive(entry)) return;
  try {
    process.kill(entry.pid, signal);
  } catch {
    // It ended in between, which is what was wanted.
  }
}

/** Resolves to whether all of `entries` were gone within `waitMs`. */
export async function allGone(entries: readonly ProcessEntry[], waitMs: number): Promise<boolean> {
  const endMs = performance.now() + waitMs;
  while (entries.some(alive)) {
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
