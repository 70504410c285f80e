/** What attacks must not change on the host: mounts, settings, files in /tmp, and what the sandbox itself has there. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

const settings = [
  'kernel/core_pattern',
  'kernel/hostname',
  'kernel/modprobe',
  'kernel/randomize_va_space',
  'vm/overcommit_memory',
  'fs/file-max',
  'net/ipv4/ip_forward',
];

export interface HostState {
  readonly mounts: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly probes: readonly string[];
  readonly left: readonly string[];
}

/** A look at the host; two of them are equal where nothing was left behind. */
export async function hostState(left: readonly string[]): Promise<HostState> {
  return {
    // Those of containers come and go with other users of the same engine.
    mounts: lines('/proc/self/mounts').filter(
      (line) => !/ (?:nsfs|overlay|tmpfs) |engine|docker|mmdebstrap/.test(line),
    ),
    settings: Object.fromEntries(settings.map((name) => [name, lines(`/proc/sys/${name}`).join()])),
    probes: list('/tmp').filter((name) => /assay-probe|^program$|^fill$|^mem$|^disk$|^m$/.test(name)),
    left: left.toSorted(),
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

/** The processes that this one has started and that are alive. */
export async function ownChildren(): Promise<readonly string[]> {
  return lines(`/proc/${process.pid}/task/${process.pid}/children`).flatMap((line) => line.split(' ').filter(Boolean));
}
