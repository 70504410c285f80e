/** Who is whose child on this machine, as Linux tells it; a process is known by its id and the moment of its start. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** With the id, tells one process from a later one that got its number. */
  readonly started: string;
  readonly command: string;
}

/** All living processes. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => lookAt(Number(name)) ?? []);
}

function lookAt(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { pid, parent: Number(parent), started: rest[17] ?? '', command };
  } catch {
    return undefined;
  }
}

/** The living descendants of `root`. */
export function descendants(root: number): Process[] {
  const all = Map.groupBy(processes(), (one) => one.parent);
  const found: Process[] = [];
  const visit = (pid: number): void => {
    for (const child of all.get(pid) ?? []) {
      found.push(child);
      visit(child.pid);
    }
  };
  visit(root);
  return found;
}

/** Whether that very process still lives. */
export function lives(one: Process): boolean {
  return lookAt(one.pid)?.started === one.started;
}

/** Processes that name `folder` in their command or stand in it. */
export function processesIn(folder: string): Process[] {
  return processes().filter(({ pid, command }) => {
    if (command.includes(folder)) return true;
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}
