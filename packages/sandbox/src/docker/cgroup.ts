/** What the kernel counts of a container, read from outside: cgroup v1 or v2. */

import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupFigures {
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** Processes that the kernel killed for memory. */
  readonly oomKills: number;
  /** How often a process could not be made for the bound on their number. */
  readonly pidsRefused: number;
}

export interface Cgroup {
  /** Undefined when the group is gone. */
  figures(): CgroupFigures | undefined;
  /** The processes in it; undefined when the group is gone. */
  processes(): readonly number[] | undefined;
  /** The memory that it has now. */
  memoryBytes(): number;
  /**
   * Bounds what the kernel holds for its sockets from now on; false where that cannot be had. Version 2 counts it as
   * memory like any other.
   */
  boundSockets(bytes: number): boolean;
  /** What the kernel holds for its sockets beside its memory: it gives each new socket a little, whatever the bound. */
  socketBytes(): number;
  /** Stops its processes where they stand: true once none of them runs. Undefined where this process may not. */
  freeze(): boolean | undefined;
  /** SIGKILL to those that are frozen, to be the next thing that happens to them; false where it would not wait. */
  condemn(): boolean;
  /** SIGKILL to every process in it, where this process may, and no freeze any more. */
  kill(): void;
}

interface Mounts {
  /** Where each controller of cgroup v1 is mounted. */
  readonly v1: ReadonlyMap<string, string>;
  readonly v2: string | undefined;
}

let known: Mounts | undefined;

/** Where this machine mounts cgroups. They stay where they are, and each container makes the list of mounts longer. */
export function cgroupMounts(): Mounts {
  known ??= mountsIn(readText('/proc/mounts') ?? '');
  return known;
}

/** The cgroups in a list of mounts. */
export function mountsIn(mounts: string): Mounts {
  const v1 = new Map<string, string>();
  let v2: string | undefined;
  for (const line of mounts.split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup2') v2 ??= path;
    if (type === 'cgroup') for (const option of options.split(',')) if (!v1.has(option)) v1.set(option, path);
  }
  return { v1, v2 };
}

/** The cgroup of a process, by what the kernel says of it; undefined where this machine does not show it. */
export function cgroupOf(pid: number): Cgroup | undefined {
  const text = readText(`/proc/${pid}/cgroup`);
  if (text === undefined || pid <= 0) return undefined;
  const mounts = cgroupMounts();
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const controller of controllers.split(',')) paths.set(controller, path);
  }
  const memory = mounts.v1.get('memory');
  if (memory !== undefined) {
    const folder = (name: string) => join(mounts.v1.get(name) ?? '/nonexistent', paths.get(name) ?? '');
    return groupV1(foldersV1(folder));
  }
  const path = paths.get('');
  return mounts.v2 === undefined || path === undefined || path === '/' ? undefined : groupV2(join(mounts.v2, path));
}

/** A cgroup by its path from the top, which counts on when the groups below it are gone. */
export function cgroupNamed(name: string): Cgroup {
  const { v1, v2 } = cgroupMounts();
  const folder = (controller: string) => join(v1.get(controller) ?? '/nonexistent', name);
  return v1.has('memory') ? groupV1(foldersV1(folder)) : groupV2(join(v2 ?? '/nonexistent', name));
}

/** SIGKILL to all that runs in the groups right below `name`, frozen or not. */
export function killBelow(name: string): void {
  for (const below of cgroupsBelow(name)) cgroupNamed(`${name}/${below}`).kill();
}

interface FoldersV1 {
  readonly memory: string;
  readonly cpu: string;
  readonly pids: string;
  readonly freezer: string;
}

function foldersV1(folder: (controller: string) => string): FoldersV1 {
  return { memory: folder('memory'), cpu: folder('cpuacct'), pids: folder('pids'), freezer: folder('freezer') };
}

export function groupV1(folders: FoldersV1): Cgroup {
  const state = join(folders.freezer, 'freezer.state');
  return {
    figures() {
      const peak = readText(join(folders.memory, 'memory.max_usage_in_bytes'));
      const cpu = readText(join(folders.cpu, 'cpuacct.usage'));
      if (peak === undefined || cpu === undefined) return undefined;
      return {
        cpuMs: Math.round(Number(cpu) / 1e6),
        peakBytes: Number(peak),
        oomKills: keyed(join(folders.memory, 'memory.oom_control'), 'oom_kill'),
        pidsRefused: keyed(join(folders.pids, 'pids.events'), 'max'),
      };
    },
    processes: () => processesOf(folders.pids),
    memoryBytes: () => Number(readText(join(folders.memory, 'memory.usage_in_bytes')) ?? 0),
    boundSockets: (bytes) => writeText(join(folders.memory, 'memory.kmem.tcp.limit_in_bytes'), String(bytes)),
    socketBytes: () => Number(readText(join(folders.memory, 'memory.kmem.tcp.usage_in_bytes')) ?? 0),
    freeze() {
      if (!writeText(state, 'FROZEN')) return undefined;
      return readText(state)?.trim() === 'FROZEN';
    },
    condemn() {
      killEach(folders.pids, 'pids');
      return true;
    },
    kill() {
      killEach(folders.pids, 'pids');
      // A signal to what is frozen waits until it is not.
      if (readText(state)?.trim() !== 'THAWED') writeText(state, 'THAWED');
    },
  };
}

export function groupV2(folder: string): Cgroup {
  let highest = 0;
  return {
    figures() {
      if (readText(join(folder, 'cgroup.procs')) === undefined) return undefined;
      // `memory.peak` came with Linux 5.19.
      const peak = readText(join(folder, 'memory.peak')) ?? readText(join(folder, 'memory.current'));
      highest = Math.max(highest, Number(peak ?? 0));
      return {
        cpuMs: Math.round(keyed(join(folder, 'cpu.stat'), 'usage_usec') / 1000),
        peakBytes: highest,
        oomKills: keyed(join(folder, 'memory.events'), 'oom_kill'),
        pidsRefused: keyed(join(folder, 'pids.events'), 'max'),
      };
    },
    processes: () => processesOf(folder),
    memoryBytes: () => Number(readText(join(folder, 'memory.current')) ?? 0),
    boundSockets: () => true,
    socketBytes: () => 0,
    freeze() {
      if (!writeText(join(folder, 'cgroup.freeze'), '1')) return undefined;
      return keyed(join(folder, 'cgroup.events'), 'frozen') === 1;
    },
    // Version 2 lets them die at once.
    condemn: () => false,
    kill() {
      // All at once, forks and what is frozen included; since Linux 5.14.
      if (!writeText(join(folder, 'cgroup.kill'), '1')) killEach(folder, '');
    },
  };
}

function processesOf(folder: string): number[] | undefined {
  const lines = readText(join(folder, 'cgroup.procs'))?.split('\n');
  return lines?.filter((line) => line !== '').map(Number);
}

function killEach(folder: string, controller: string): void {
  for (const pid of processesOf(folder) ?? []) {
    // The number may have gone to another process since it was read; one of this group says so.
    const paths = (readText(`/proc/${pid}/cgroup`) ?? '').split('\n');
    if (
      pid <= 1 ||
      !paths.some((path) => path.includes(`:${controller}:`) && folder.endsWith(path.split(':')[2] ?? '?'))
    ) {
      continue;
    }
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone, or not ours to kill: the daemon is asked then.
    }
  }
}

function keyed(path: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(readText(path) ?? '')?.[1] ?? 0);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function writeText(path: string, text: string): boolean {
  try {
    // Without a flag that makes files: a group that is gone stays so.
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** Removes the empty cgroups below `name` from every hierarchy; returns whether there was one. */
export function removeCgroup(name: string): boolean {
  return everyHierarchy().reduce((found, root) => removeFolder(join(root, name)) || found, false);
}

/** The names of the cgroups right below `base`, in any hierarchy. */
export function cgroupsBelow(base: string): string[] {
  const names = everyHierarchy().flatMap((root) => {
    try {
      return readdirSync(join(root, base), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    } catch {
      return [];
    }
  });
  return [...new Set(names.map(({ name }) => name))];
}

function everyHierarchy(): string[] {
  const { v1, v2 } = cgroupMounts();
  return [...new Set([...v1.values(), ...(v2 === undefined ? [] : [v2])])];
}

function removeFolder(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeFolder(join(path, entry.name));
    }
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
