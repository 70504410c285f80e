import { spawn } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { conformanceLimits, runPython } from '@assay/core/conformance';
import type { SandboxUnit } from '@assay/core';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { wasmDriver } from './driver.ts';
import { wasiPrograms } from './conformance/wasi-programs.setup.ts';
import { wasiRunner } from './languages.ts';

const warm = { cells: 2, memoryBytes: 1024 ** 3 };
const kits: DriverKit[] = [];
afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close();
});

async function warmKit() {
  const cold = await driverKit(wasiRunner);
  const driver = wasmDriver({ cacheDir: cold.cacheDir, workDir: cold.workDir, warm });
  const kit = { ...cold, driver, close: () => driver.close().then(cold.close) };
  kits.push(kit);
  const inputs = await kit.lay(wasiPrograms.files('greet'));
  const unit: SandboxUnit = {
    label: 'pool',
    runner: kit.runner,
    entryPoint: 'main.wasm',
    args: [],
    inputs,
    outputDir: 'results',
    environment: {},
    limits: conformanceLimits,
  };
  return { ...kit, unit, driver };
}

/** The processes that wait, by what their folders say. */
async function idlePids(workDir: string): Promise<number[]> {
  const pids: number[] = [];
  for (const name of (await readdir(workDir)).filter((one) => one.startsWith('idle-'))) {
    const note = JSON.parse(await readFile(join(workDir, name, 'run.json'), 'utf8')) as { child?: [number, string] };
    if (note.child) pids.push(note.child[0]);
  }
  return pids.toSorted((a, b) => a - b);
}

const lives = (pid: number) =>
  readFile(`/proc/${pid}/stat`, 'latin1').then(
    (stat) => !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z'),
    () => false,
  );

it('runs a unit in a process that waited, destroys it, and starts another in its place', async () => {
  const kit = await warmKit();
  await kit.driver.prepare(kit.unit);
  const before = await idlePids(kit.workDir);
  expect(before).toHaveLength(2);
  const ran = await runPython(kit, 'greet', { environment: { ASSAY_UNIT_ORDINAL: '3' } }, undefined, wasiPrograms);
  expect(ran).toMatchObject({ stdout: 'said\n', outcome: { ending: { kind: 'exit', code: 0 } } });
  expect(await kit.read(ran.outcome, 'deep/out.txt')).toBe(' 3');
  await ran.outcome.release();
  await kit.driver.prepare(kit.unit);
  const after = await idlePids(kit.workDir);
  expect(after).toHaveLength(2);
  const gone = before.filter((pid) => !after.includes(pid));
  expect(gone).toHaveLength(1);
  expect(await lives(gone[0]!)).toBe(false);
});

it('puts each process behind the walls that the kernel gives', async () => {
  const kit = await warmKit();
  await kit.driver.prepare(kit.unit);
  const [pid] = await idlePids(kit.workDir);
  const { detail } = await kit.driver.probe();
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const network = await readlink(`/proc/${pid}/ns/net`);
  expect(status.includes('NoNewPrivs:\t1')).toBe(detail.includes('no new privileges'));
  expect(/^CapBnd:\t0+$/m.test(status)).toBe(detail.includes('no capabilities'));
  expect(network !== (await readlink('/proc/self/ns/net'))).toBe(detail.includes('network namespace'));
  if (process.getuid?.() === 0) expect(status).toContain('Uid:\t65533\t65533\t65533\t65533');
});

it('holds no more than its memory, and leaves no process and no folder when it closes', async () => {
  const kit = await warmKit();
  const small = wasmDriver({ ...kit, warm: { cells: 5, memoryBytes: 400 * 1024 * 1024 } });
  await small.prepare(kit.unit);
  const waiting = await idlePids(kit.workDir);
  expect(waiting).toHaveLength(1);
  await small.close();
  expect(await readdir(kit.workDir)).toEqual([]);
  expect(await lives(waiting[0]!)).toBe(false);
});

it('starts another when one dies while it waits', async () => {
  const kit = await warmKit();
  await kit.driver.prepare(kit.unit);
  const [first] = await idlePids(kit.workDir);
  process.kill(first!, 'SIGKILL');
  await expect.poll(() => idlePids(kit.workDir)).not.toContain(first);
  const ran = await runPython(kit, 'write x', {}, undefined, wasiPrograms);
  expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 0 });
});

it('is swept when its driver was killed', async () => {
  const kit = await warmKit();
  const program = `
    const { wasmDriver } = await import(${JSON.stringify(join(import.meta.dirname, 'driver.ts'))});
    const driver = wasmDriver(${JSON.stringify({ cacheDir: kit.cacheDir, workDir: kit.workDir, warm })});
    await driver.prepare(${JSON.stringify(kit.unit)});
    process.stdout.write('waiting');
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => parent.stdout.once('data', resolve));
  const waiting = await idlePids(kit.workDir);
  expect(waiting).toHaveLength(2);
  expect(await kit.driver.sweep()).toBe(0);
  parent.kill('SIGKILL');
  await new Promise((resolve) => parent.once('exit', resolve));
  expect(await kit.driver.sweep()).toBe(2);
  expect(await readdir(kit.workDir)).toEqual([]);
  for (const pid of waiting) await expect.poll(() => lives(pid)).toBe(false);
});
