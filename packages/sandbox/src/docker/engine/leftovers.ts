/** What an engine leaves behind when it is killed (processes, mounts, control groups), and how it is removed. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@assay/core';
import type { EngineFolders } from './folders.ts';
import { findProgram } from './programs.ts';
import { allProcesses, killAll, readProcess, withDescendants, type ProcessEntry } from './processes.ts';

export interface Leftovers {
  readonly processes: readonly ProcessEntry[];
  readonly mounts: readonly string[];
  /** Folders of control groups, the deepest first. */
  readonly cgroups: readonly string[];
}

const goneMs = 10_000;
const cgroupRoot = '/sys/fs/cgroup';

/** The daemon, its containerd, its shims, and all that runs in its containers. */
export function engineProcesses(folders: EngineFolders): ProcessEntry[] {
  const all = allProcesses();
  const containerd = join(folders.execRoot, 'containerd');
  const roots = all.filter(({ command: [program = '', ...args] }) => {
    if (program.endsWith('dockerd')) return args.includes(folders.settings);
    if (program.endsWith('containerd')) return args.includes(join(containerd, 'containerd.toml'));
    return program.includes('containerd-shim') && args.includes(join(containerd, 'containerd.sock'));
  });
  const inGroups = cgroupFolders(folders).flatMap((folder) =>
    readPids(folder).flatMap((pid) => readProcess(pid) ?? []),
  );
  const known = new Set(roots.map(({ pid }) => pid));
  return withDescendants([...roots, ...inGroups.filter(({ pid }) => !known.has(pid))], all);
}

/** All that is there of an engine, running or not. */
export function findLeftovers(folders: EngineFolders): Leftovers {
  return { processes: engineProcesses(folders), mounts: mountsBelow(folders.folder), cgroups: cgroupFolders(folders) };
}

/** Kills and removes all of it, except for the images and containers that the data folder holds. */
export async function removeLeftovers(folders: EngineFolders): Promise<void> {
  // More than once, because a shim may have been starting something while the first list was read.
  for (let round = 0; round < 3; round += 1) {
    const processes = engineProcesses(folders);
    if (processes.length === 0) break;
    const killed = killAll(processes, goneMs);
    // What lies frozen dies when it goes on.
    for (const folder of cgroupFolders(folders)) thaw(folder);
    await killed;
  }
  unmountBelow(folders.folder);
  for (const folder of cgroupFolders(folders)) removeFolder(folder);
  const left = findLeftovers(folders);
  if (left.processes.length > 0 || left.mounts.length > 0) {
    const what = [...left.processes.map(({ pid }) => `process ${pid}`), ...left.mounts.map((path) => `mount ${path}`)];
    throw new Fault('sandbox.fault', `an earlier engine cannot be removed: ${what.join(', ')}`, { retry: true });
  }
  rmSync(folders.execRoot, { recursive: true, force: true });
  rmSync(folders.socket, { force: true });
  rmSync(folders.pidFile, { force: true });
}

/** Mount points at or below `folder`, the last mounted first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => octalCharacter(octal)))
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .toReversed();
}

function octalCharacter(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** Unmounts all that is mounted at or below `folder`, and returns what could not be. */
export function unmountBelow(folder: string): string[] {
  for (const path of mountsBelow(folder)) unmount(path);
  return mountsBelow(folder);
}

function unmount(path: string): void {
  for (const args of [[path], ['-l', path]]) {
    try {
      execFileSync(findProgram('umount') ?? 'umount', args, { stdio: 'ignore' });
      return;
    } catch {
      // Busy or gone; detaching it is tried next, and what stays is reported by the caller.
    }
  }
}

/** The engine's control groups in each hierarchy: one where version 2 is mounted alone, many under version 1. */
function cgroupFolders(folders: EngineFolders): string[] {
  const hierarchies = [cgroupRoot, ...subfolders(cgroupRoot)];
  const own = hierarchies.map((at) => join(at, folders.cgroupParent)).filter((path) => existsSync(path));
  return own.flatMap(deepestFirst);
}

function deepestFirst(folder: string): string[] {
  return [...subfolders(folder).flatMap(deepestFirst), folder];
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

function readPids(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Version 2 needs no thaw to kill. */
function thaw(folder: string): void {
  const state = join(folder, 'freezer.state');
  try {
    if (existsSync(state)) writeFileSync(state, 'THAWED');
  } catch {
    // The group is gone.
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // A dying process still counts for a moment; an empty group costs nothing and the next start removes it.
  }
}
