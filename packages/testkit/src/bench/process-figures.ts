/** What processes used, from Linux's /proc. */

import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Clock ticks a second, which Linux fixes at 100 for what it shows in /proc. */
const tickMs = 10;

/** CPU milliseconds of a process with the children that it has waited for. */
export function cpuMsOf(pid: number): number {
  return ticksOf(pid, [11, 12, 13, 14]) * tickMs;
}

/** CPU milliseconds of the children that a process has waited for, in steps of ten. */
export function waitedCpuMs(pid: number): number {
  return ticksOf(pid, [13, 14]) * tickMs;
}

function ticksOf(pid: number, places: readonly number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return places.reduce((sum, place) => sum + Number(fields[place]), 0);
}

/** CPU milliseconds of a process and all its descendants. */
export function cpuMsOfTree(root: number): number {
  return [root, ...descendantsOf(root)].reduce((sum, pid) => sum + cpuOrZero(pid), 0);
}

/** CPU milliseconds that the whole machine was busy since it started. */
export function busyMs(): number {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  return (fields.slice(0, 8).reduce((a, b) => a + b, 0) - idle) * tickMs;
}

/** Where a benchmark ran. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
}

/** This machine, with the version of the database that was measured. */
export function machineOf(postgres: string): Machine {
  const [cpu] = cpus();
  return {
    cores: cpus().length,
    processor: cpu?.model ?? 'unknown processor',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    node: process.version,
    postgres,
  };
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    open.push(...next);
  }
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function cpuOrZero(pid: number): number {
  try {
    return cpuMsOf(pid);
  } catch {
    return 0;
  }
}
