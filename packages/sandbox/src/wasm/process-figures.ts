/** What the kernel says about a process: never what the process says about itself. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly cpuMs: number;
}

/** Linux counts CPU time in hundredths of a second. */
const tickMs = 10;

/** Memory and CPU use of a live process; undefined when it is gone. */
export function processFigures(pid: number): ProcessFigures | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return {
      residentBytes: kilobytes('VmRSS') * 1024,
      peakBytes: kilobytes('VmHWM') * 1024,
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    };
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): ProcessFigures | undefined {
  try {
    const line = execFileSync('/bin/ps', ['-o', 'rss=,time=', '-p', String(pid)], { encoding: 'latin1' }).trim();
    const [kilobytes, time = ''] = line.split(/\s+/);
    const seconds = time.split(/[:-]/).reduce((total, part) => total * 60 + Number(part), 0);
    const residentBytes = Number(kilobytes) * 1024;
    return { residentBytes, peakBytes: residentBytes, cpuMs: Math.round(seconds * 1000) };
  } catch {
    return undefined;
  }
}

/** As Linux marks a thread that is leaving: it will not run its program again. */
const exitingFlag = 0x4;

/** Whether no thread of the process will run again, so that only its memory is to be returned; Linux alone can tell. */
export function isLeaving(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => hasLeft(`/proc/${pid}/task/${thread}/stat`));
  } catch {
    return true;
  }
}

function hasLeft(path: string): boolean {
  let stat: string;
  try {
    stat = readFileSync(path, 'latin1');
  } catch {
    return true;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' || (Number(fields[6]) & exitingFlag) !== 0;
}

/** A text that stays the same for one process and differs for a later one with its id; undefined when it is gone. */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : `start ${fields[19]}`;
    }
    const started = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim();
    return started === '' ? undefined : started;
  } catch {
    return undefined;
  }
}
