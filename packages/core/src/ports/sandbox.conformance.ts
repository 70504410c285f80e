/** What every sandbox driver promises. Run by each driver's own test with its own way of laying inputs on disk. */

import { describe, expect, it } from 'vitest';
import { treeDigest, type Tree } from '../tree.ts';
import type { Sha256 } from '../hash.ts';
import { pythonPrograms, type SandboxPrograms, type Task } from './sandbox-programs.conformance.ts';
import type { InputFile, SandboxDriver, SandboxLimits, SandboxOutcome, SandboxUnit } from './sandbox.ts';

export interface SandboxHarness {
  readonly name: string;
  readonly sha256: Sha256;
  /** A driver ready to run units under `runner`. */
  readonly driver: SandboxDriver;
  readonly runner: string;
  /** Writes the files where the driver can read them. */
  lay(files: Readonly<Record<string, string | Uint8Array>>): Promise<InputFile[]>;
  /** The text of a captured output. */
  read(outcome: SandboxOutcome, path: string): Promise<string>;
}

export interface Ran {
  readonly outcome: SandboxOutcome;
  readonly stdout: string;
  readonly stderr: string;
}

export const conformanceLimits: SandboxLimits = {
  wallMs: 20_000,
  memoryBytes: 256 * 1024 * 1024,
  scratchBytes: 16 * 1024 * 1024,
  outputFiles: 20,
  outputBytes: 4 * 1024 * 1024,
  logBytes: 64 * 1024,
};

export type UnitChanges = Partial<Omit<SandboxUnit, 'limits'>> & { readonly limits?: Partial<SandboxLimits> };

/** Runs `code` as the entry point of a unit, in Python where nothing else is said. */
export async function runPython(
  harness: SandboxHarness,
  code: string,
  changes: UnitChanges = {},
  stop: AbortSignal = new AbortController().signal,
  programs: SandboxPrograms = pythonPrograms,
): Promise<Ran> {
  const text = { stdout: '', stderr: '' };
  const { limits, ...rest } = changes;
  const unit: SandboxUnit = {
    label: 'conformance',
    runner: harness.runner,
    entryPoint: programs.entryPoint,
    args: [],
    inputs: rest.inputs ?? (await harness.lay(programs.files(code))),
    outputDir: 'results',
    environment: {},
    ...rest,
    limits: { ...conformanceLimits, ...limits },
  };
  const outcome = await harness.driver.run(
    unit,
    (stream, piece) => {
      text[stream] += piece;
    },
    stop,
  );
  return { outcome, ...text };
}

const paths = (tree: Tree) => tree.map((file) => file.path);

/** The suite in the language of `programs`. `harness` is asked once, before the first test. */
export function sandboxConformance(
  name: string,
  harness: () => SandboxHarness,
  programs: SandboxPrograms = pythonPrograms,
): void {
  const runCode = (code: string, changes?: UnitChanges, stop?: AbortSignal) =>
    runPython(harness(), code, changes, stop, programs);
  const run = (task: Task, changes?: UnitChanges, stop?: AbortSignal) => runCode(programs.code[task], changes, stop);
  const digest = async (changes: UnitChanges) => {
    const { outcome } = await run('draw', changes);
    expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
    return treeDigest(harness().sha256, outcome.outputs);
  };
  const alone = programs.cannot['use side'];
  const whyAlone = alone === undefined ? '' : ` (not in ${programs.language}: ${alone})`;

  describe(`${name}: an honest unit`, () => {
    it('reports what it can run', async () => {
      const report = await harness().driver.probe();
      expect(report).toMatchObject({ usable: true, driver: harness().driver.name });
      expect(report.runners.map(({ runner }) => runner)).toContain(harness().runner);
    });

    it('gets its arguments, environment and inputs, and hands out what it writes', async () => {
      const inputs = await harness().lay({ ...programs.files(programs.code.greet), 'data/in.txt': 'grüße' });
      const ran = await run('greet', { inputs, args: ['--n', '7'], environment: { ASSAY_UNIT_ORDINAL: '3' } });
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(ran).toMatchObject({ stdout: 'said\n', stderr: 'warned\n' });
      expect(ran.outcome.outputs.map((file) => file.path)).toEqual(['deep/out.txt']);
      expect(await harness().read(ran.outcome, 'deep/out.txt')).toBe('grüße --n 7 3');
      await ran.outcome.release();
    });

    it('may write nothing', async () => {
      const ran = await run('nothing');
      expect(ran).toMatchObject({ stdout: '', outcome: { ending: { kind: 'exit', code: 0 }, outputs: [] } });
    });

    it.skipIf(alone !== undefined)(`may use another file of its bundle${whyAlone}`, async () => {
      const inputs = await harness().lay({ ...programs.files(programs.code['use side']), ...programs.side });
      const ran = await run('use side', { inputs });
      expect(ran).toMatchObject({ stdout: 'side\n', outcome: { ending: { kind: 'exit', code: 0 }, outputs: [] } });
    });

    it.each(programs.exits)('ends with the exit code of %j', async (code, exitCode, message) => {
      const ran = await runCode(code);
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: exitCode });
      expect(ran.stderr).toContain(message);
      expect(ran.stderr).not.toContain('_assay');
    });

    it('is measured from outside', async () => {
      const { outcome } = await run('compute');
      expect(outcome.usage.cpuMs).toBeGreaterThan(0);
      expect(outcome.usage.wallMs).toBeGreaterThan(0);
      expect(outcome.usage.peakBytes).toBeGreaterThan(1024 * 1024);
    });

    it('cannot change its inputs', async () => {
      const ran = await run('change input');
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 1 });
    });
  });

  describe(`${name}: a seeded unit`, () => {
    it('gives the same bytes every time, and others for another seed', async () => {
      const epochMs = Date.UTC(2026, 0, 1);
      const first = await digest({ randomSeed: 1, epochMs });
      expect(await digest({ randomSeed: 1, epochMs })).toBe(first);
      expect(await digest({ randomSeed: 2, epochMs })).not.toBe(first);
    });

    it('differs between runs without a seed', async () => {
      expect(await digest({})).not.toBe(await digest({}));
    });

    it('starts its clock where it is told, and its waiting ends', async () => {
      const ran = await run('wait', { epochMs: 1_000_000_000_000 });
      expect(ran.stdout).toMatch(/^1000000000 true\n$/i);
    });
  });

  describe(`${name}: limits`, () => {
    it.each([
      ['wall', 'spin', { wallMs: 1200 }],
      ['wall', 'sleep', { wallMs: 1200 }],
      ['log', 'flood log', {}],
      ['outputs', 'many outputs', {}],
      ['outputs', 'large output', {}],
    ] as const)('kills for %s: %s', async (why, task, bounds) => {
      const { outcome } = await run(task, { limits: bounds });
      expect(outcome.ending).toEqual({ kind: 'killed', why });
      expect(outcome.outputs).toEqual([]);
      expect(outcome.usage.wallMs).toBeLessThan(20_000);
    });

    it('holds the memory', async () => {
      const { outcome, stdout } = await run('fill memory');
      expect([
        { kind: 'exit', code: 1 },
        { kind: 'killed', why: 'memory' },
      ]).toContainEqual(outcome.ending);
      expect(stdout).toBe('');
    });

    it.each(['fill bytes', 'fill files'] as const)('holds the scratch space: %s', async (task) => {
      const { outcome } = await run(task);
      expect([
        { kind: 'exit', code: 1 },
        { kind: 'killed', why: 'scratch' },
      ]).toContainEqual(outcome.ending);
    });

    it('gives scratch space back when files go', async () => {
      const { outcome } = await run('reuse');
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
    });

    it('stops when the operator says so, before and during a run', async () => {
      const early = await run('spin', {}, AbortSignal.abort());
      const later = await run('spin', {}, AbortSignal.timeout(1500));
      expect([early.outcome.ending, later.outcome.ending]).toEqual([
        { kind: 'killed', why: 'operator' },
        { kind: 'killed', why: 'operator' },
      ]);
    });

    it('allows exactly the bounds', async () => {
      const { outcome } = await run('exact outputs');
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(outcome.outputs).toHaveLength(20);
    });
  });

  describe(`${name}: captured outputs`, () => {
    it('takes regular files with safe names only', async () => {
      const ran = await run('odd names');
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(paths(ran.outcome.outputs)).toEqual(['d/x', 'plain.txt']);
    });

    it('keeps one of two names that differ in case only', async () => {
      const ran = await run('twins');
      expect(paths(ran.outcome.outputs)).toEqual(['Twin']);
    });

    it('captures nothing where the output folder became a link', async () => {
      const ran = await run('replace folder');
      expect(paths(ran.outcome.outputs)).toEqual([]);
    });

    it('releases what it stored', async () => {
      const ran = await run('write x');
      expect(await harness().read(ran.outcome, 'x')).toBe('x');
      await ran.outcome.release();
      await expect(harness().read(ran.outcome, 'x')).rejects.toThrow('ENOENT');
    });
  });

  describe(`${name}: refusals`, () => {
    it.each([
      ['another runner', { runner: 'evil/image:latest' }],
      ['an entry point that is not there', { entryPoint: 'other.py' }],
      ['an unsafe entry point', { entryPoint: '../main.py' }],
      ['an unsafe output folder', { outputDir: '../out' }],
      ['no memory', { limits: { memoryBytes: 1 } }],
      ['no time', { limits: { wallMs: 0 } }],
      ['an address as a host to reach', { network: [{ host: '127.0.0.1', port: 443 }] }],
    ] as const)('refuses %s', async (_what, changes) => {
      await expect(run('nothing', changes)).rejects.toMatchObject({ code: 'sandbox.refused' });
    });

    it('calls an input that is not what it says a fault of its own, not of the unit', async () => {
      const inputs = await harness().lay(programs.files(programs.code.nothing));
      const input = inputs.find(({ path }) => path === programs.entryPoint);
      if (!input) throw new Error('an entry point');
      for (const changed of [
        { ...input, sizeBytes: input.sizeBytes - 1 },
        { ...input, sizeBytes: input.sizeBytes + 1 },
      ]) {
        const { outcome } = await run('nothing', { inputs: [changed] });
        expect(outcome.ending.kind).toBe('infra');
      }
      const gone = await run('nothing', { inputs: [{ ...input, hostPath: `${input.hostPath}-gone` }] });
      expect(gone.outcome.ending.kind).toBe('infra');
    });

    it('has nothing to sweep after orderly runs', async () => {
      expect(await harness().driver.sweep()).toBe(0);
    });
  });
}
