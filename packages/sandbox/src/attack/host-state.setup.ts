/** What attacks must not change on the host: mounts, sandboxes' processes and control groups, settings, files in /tmp. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const settings = [
  'kernel/core_pattern',
  'kernel/hostname',
  'kernel/modprobe',
  'kernel/randomize_va_space',
  'vm/overcommit_memory',
  'fs/file-max',
  'net/ipv4/ip_forward',
];
/** What sandboxes consist of on the host. */
const sandboxProcess = /^(?:runsc|runsc-sandbox|runsc-gofer|containerd-shim|containerd-shim-runc-v2|exe)\b/;

export interface HostState {
  readonly mounts: readonly string[];
  readonly processes: readonly string[];
  readonly groups: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly probes: readonly string[];
}

/** A look at the host; two of them are equal where nothing was left behind. */
export async function hostState(): Promise<HostState> {
  return {
    mounts: lines('/proc/self/mounts').filter((line) => !/ (?:nsfs|overlay) /.test(line)),
    processes: everyProcess().filter((name) => sandboxProcess.test(name)),
    groups: groups('/sys/fs/cgroup', 3),
    settings: Object.fromEntries(settings.map((name) => [name, lines(`/proc/sys/${name}`).join()])),
    probes: list('/tmp').filter((name) => /assay-probe|^program$|^fill$/.test(name)),
  };
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function list(path: string): string[] {
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

function everyProcess(): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => lines(`/proc/${pid}/comm`))
    .toSorted();
}

/** Control groups of jobs, which a run makes and must remove. */
function groups(top: string, depth: number): string[] {
  if (depth < 0) return [];
  return list(top).flatMap((name) => {
    const path = join(top, name);
    try {
      if (!statSync(path).isDirectory()) return [];
    } catch {
      return [];
    }
    return [...(/job-|[0-9a-f]{64}/.test(name) ? [path] : []), ...groups(path, depth - 1)];
  });
}
