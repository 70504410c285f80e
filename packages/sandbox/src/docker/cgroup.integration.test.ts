import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { cgroupMounts, groupV1, groupV2, killBelow, removeCgroup, type Cgroup } from './cgroup.ts';

const { v1, v2 } = cgroupMounts();
const isRoot = process.getuid?.() === 0;
const missing = (what: string, there: boolean) => (isRoot && there ? '' : ` (needs root and ${what})`);

const base = `assay-test-${randomBytes(6).toString('hex')}`;
const children: ChildProcess[] = [];

const at = (name: string) => `${v1.get(name)}/${base}/one`;

/** A process that counts without end, in the groups. */
async function counter(folders: readonly string[]): Promise<ChildProcess & { pid: number }> {
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const child = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  await once(child, 'spawn');
  children.push(child);
  for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(child.pid));
  return child as ChildProcess & { pid: number };
}

/** The processor time that it had, in ticks. */
function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[12]);
}

async function frozen(group: Cgroup): Promise<void> {
  for (let look = 0; look < 500 && group.freeze() !== true; look += 1) await pause(2);
  expect(group.freeze()).toBe(true);
}

afterEach(async () => {
  killBelow(base);
  for (const child of children.splice(0)) if (child.signalCode === null) await once(child, 'exit');
  removeCgroup(base);
});

describe.skipIf(missing('cgroup v1', v1.has('freezer')) !== '')(`cgroup v1${missing('it', v1.has('freezer'))}`, () => {
  const names = ['memory', 'cpuacct', 'pids', 'freezer'] as const;
  it('freezes, and has a killed process die only when it thaws', async () => {
    const child = await counter(names.map(at));
    const group = groupV1({ memory: at('memory'), cpu: at('cpuacct'), pids: at('pids'), freezer: at('freezer') });
    expect(group.processes()).toEqual([child.pid]);
    await frozen(group);
    const before = ticks(child.pid);
    expect(group.condemn()).toBe(true);
    await pause(100);
    expect(ticks(child.pid)).toBe(before);
    expect(group.processes()).toEqual([child.pid]);
    group.kill();
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
  });

  it('kills what is frozen by the name of the group above', async () => {
    const child = await counter(names.map(at));
    const group = groupV1({ memory: at('memory'), cpu: at('cpuacct'), pids: at('pids'), freezer: at('freezer') });
    await frozen(group);
    const ended = once(child, 'exit');
    killBelow(base);
    await ended;
    expect(child.signalCode).toBe('SIGKILL');
  });
});

describe.skipIf(missing('cgroup v2', v2 !== undefined) !== '')(`cgroup v2${missing('it', v2 !== undefined)}`, () => {
  const folder = `${v2}/${base}/one`;

  it('freezes, and kills what is frozen', async () => {
    const child = await counter([folder]);
    const group = groupV2(folder);
    await frozen(group);
    const before = ticks(child.pid);
    expect(group.condemn()).toBe(false);
    await pause(100);
    expect(ticks(child.pid)).toBe(before);
    expect(group.processes()).toEqual([child.pid]);
    group.kill();
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
  });
});

it('nobody can freeze a group that is not there', () => {
  expect(groupV2('/nonexistent').freeze()).toBeUndefined();
  expect(groupV2('/nonexistent').processes()).toBeUndefined();
});
