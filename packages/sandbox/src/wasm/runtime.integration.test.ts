import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPython } from '@assay/core/conformance';
import { prepareRuntime } from './runtime.ts';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { wasmDriver } from './driver.ts';
import { languages } from './languages.ts';

let kit: DriverKit;
let folder: string;
beforeEach(async () => {
  kit = await driverKit();
  folder = await mkdtemp(join(tmpdir(), 'assay-runtime-'));
});
afterEach(async () => {
  await kit.close();
  await rm(folder, { recursive: true, force: true });
});

const python = languages.find(({ name }) => name === 'python')!;
const isRoot = process.getuid?.() === 0;

describe('the staged runtime', () => {
  it('is built once, and rebuilt with a word when a byte of it changes', async () => {
    const notes: string[] = [];
    const cacheDir = join(folder, 'cache');
    if (isRoot) await chmod(folder, 0o755);
    const first = await prepareRuntime(python, cacheDir, (text) => notes.push(text));
    const built = (await stat(join(first.folder, 'snapshot.bin'))).mtimeMs;
    const second = await prepareRuntime(python, cacheDir, (text) => notes.push(text));
    expect((await stat(join(second.folder, 'snapshot.bin'))).mtimeMs).toBe(built);
    expect(notes).toEqual([]);
    // Two machines, and two folders of one, make the same image, or units would find other places in memory.
    const elsewhere = await prepareRuntime(python, kit.cacheDir, () => {});
    expect(await digestOf(first.folder)).toBe(await digestOf(elsewhere.folder));

    const snapshot = await readFile(join(first.folder, 'snapshot.bin'));
    snapshot[20_000_000]! ^= 1;
    await chmod(join(first.folder, 'snapshot.bin'), 0o644);
    await writeFile(join(first.folder, 'snapshot.bin'), snapshot);
    await chmod(join(first.folder, 'snapshot.bin'), 0o444);
    await prepareRuntime(python, cacheDir, (text) => notes.push(text));
    expect(notes).toEqual([expect.stringContaining('snapshot.bin does not have its SHA-256')]);
    expect(await readdir(cacheDir)).toHaveLength(1);
  }, 120_000);

  it('cannot be written by the child', async () => {
    const { folder: staged, identity } = await prepareRuntime(python, kit.cacheDir, () => {});
    if (!identity) return;
    for (const name of await readdir(staged, { recursive: true })) {
      const state = await stat(join(staged, name));
      expect(state.uid).toBe(0);
      expect(state.mode & 0o022).toBe(0);
      expect(state.mode & 0o004).toBe(0o004);
    }
  });

  it.skipIf(!isRoot)(
    'lies where others can read it, also when only root can enter the folder that was named',
    async () => {
      const closed = join(folder, 'closed');
      await mkdir(closed, { mode: 0o700 });
      await chmod(folder, 0o700);
      const driver = wasmDriver({ cacheDir: join(closed, 'cache'), workDir: join(closed, 'runs') });
      expect(await driver.probe()).toMatchObject({ usable: true });
      const ran = await runPython({ ...kit, driver }, "import os; print('ran as', os.getuid())");
      expect(ran.stdout).toBe('ran as 65534\n');
    },
    60_000,
  );
});

describe('the probe', () => {
  it('says so where a child could not have its stack', () => {
    const program = `
      const { wasmDriver } = await import(${JSON.stringify(join(import.meta.dirname, 'driver.ts'))});
      const driver = wasmDriver({ cacheDir: ${JSON.stringify(kit.cacheDir)}, workDir: ${JSON.stringify(kit.workDir)} });
      process.stdout.write(JSON.stringify(await driver.probe()));`;
    const node = [process.execPath, '--no-warnings', '--input-type=module-typescript', '-e', program];
    // Root could raise a limit again.
    const wall = isRoot ? ['setpriv', '--bounding-set=-sys_resource', '--inh-caps=-all'] : [];
    const command = ['-c', 'ulimit -Hs 16384 && exec "$@"', 'sh', ...node];
    const [file = '', ...args] = [...wall, '/bin/sh', ...command];
    const report = JSON.parse(execFileSync(file, args, { encoding: 'utf8' })) as unknown;
    expect(report).toMatchObject({ usable: false, runners: [] });
    expect(report).toMatchObject({ detail: expect.stringMatching(/65520 KiB of stack.*LimitSTACK/) as string });
  });
});

const digestOf = async (staged: string) =>
  createHash('sha256')
    .update(await readFile(join(staged, 'snapshot.bin')))
    .digest('hex');

describe('a driver that was killed', () => {
  it('leaves a run that the next sweep ends and removes', async () => {
    await kit.driver.probe();
    const program = `
      const { driverKit } = await import(${JSON.stringify(join(import.meta.dirname, 'driver.setup.ts'))});
      const { wasmDriver } = await import(${JSON.stringify(join(import.meta.dirname, 'driver.ts'))});
      const kit = await driverKit();
      const driver = wasmDriver({ cacheDir: kit.cacheDir, workDir: ${JSON.stringify(kit.workDir)} });
      const inputs = await kit.lay({ 'main.py': "print('on', flush=True)\\nwhile True: pass" });
      await driver.run({ label: 'orphan', runner: kit.runner, entryPoint: 'main.py', args: [], inputs, outputDir: 'results',
        environment: {}, limits: { wallMs: 60000, memoryBytes: 2 ** 28, scratchBytes: 2 ** 20, outputFiles: 1, outputBytes: 1, logBytes: 100 } },
        () => process.stdout.write('running'), new AbortController().signal);`;
    const parent = spawn(process.execPath, ['--no-warnings', '--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const [run] = await readdir(kit.workDir);
    const note = JSON.parse(await readFile(join(kit.workDir, run!, 'run.json'), 'utf8')) as { child: [number, string] };
    expect(await kit.driver.sweep()).toBe(0);
    parent.kill('SIGKILL');
    await new Promise((resolve) => parent.once('exit', resolve));
    expect(await kit.driver.sweep()).toBe(1);
    expect(await readdir(kit.workDir)).toEqual([]);
    await expect.poll(() => isGone(note.child[0])).toBe(true);
  }, 60_000);
});

async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ') Z');
  return state.slice(state.lastIndexOf(')') + 2).startsWith('Z');
}
