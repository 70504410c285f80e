/** What every sandbox driver promises. Run by each driver's own test with its own way of laying inputs on disk. */

import { describe, expect, it } from 'vitest';
import { treeDigest, type Tree } from '../tree.ts';
import type { Sha256 } from '../hash.ts';
import type { InputFile, SandboxDriver, SandboxLimits, SandboxOutcome, SandboxUnit } from './sandbox.ts';

export interface SandboxHarness {
  readonly name: string;
  readonly sha256: Sha256;
  /** A driver ready to run Python under `runner`. */
  readonly driver: SandboxDriver;
  readonly runner: string;
  /** Writes the files where the driver can read them. */
  lay(files: Readonly<Record<string, string>>): Promise<InputFile[]>;
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

/** Runs `code` as the entry point of a unit. */
export async function runPython(
  harness: SandboxHarness,
  code: string,
  changes: UnitChanges = {},
  stop: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const text = { stdout: '', stderr: '' };
  const { limits, ...rest } = changes;
  const unit: SandboxUnit = {
    label: 'conformance',
    runner: harness.runner,
    entryPoint: 'main.py',
    args: [],
    inputs: await harness.lay({ 'main.py': code }),
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

const write = (path: string, expression: string) => `open(${JSON.stringify(path)}, 'wb').write(${expression})\n`;

const paths = (tree: Tree) => tree.map((file) => file.path);

/** The suite. `harness` is asked once, before the first test. */
export function sandboxConformance(name: string, harness: () => SandboxHarness): void {
  const run = (code: string, changes?: UnitChanges, stop?: AbortSignal) => runPython(harness(), code, changes, stop);

  describe(`${name}: an honest unit`, () => {
    it('reports what it can run', async () => {
      const report = await harness().driver.probe();
      expect(report).toMatchObject({ usable: true, driver: harness().driver.name });
      expect(report.runners.map(({ runner }) => runner)).toContain(harness().runner);
    });

    it('gets its arguments, environment and inputs, and hands out what it writes', async () => {
      const inputs = await harness().lay({
        'main.py': [
          'import os, sys',
          "text = open('data/in.txt').read() + ' ' + ' '.join(sys.argv[1:]) + ' ' + os.environ['ASSAY_UNIT_ORDINAL']",
          "os.makedirs('results/deep', exist_ok=True)",
          "open('results/deep/out.txt', 'w').write(text)",
          "print('said'); print('warned', file=sys.stderr)",
        ].join('\n'),
        'data/in.txt': 'grüße',
      });
      const ran = await run('', { inputs, args: ['--n', '7'], environment: { ASSAY_UNIT_ORDINAL: '3' } });
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(ran).toMatchObject({ stdout: 'said\n', stderr: 'warned\n' });
      expect(ran.outcome.outputs.map((file) => file.path)).toEqual(['deep/out.txt']);
      expect(await harness().read(ran.outcome, 'deep/out.txt')).toBe('grüße --n 7 3');
      await ran.outcome.release();
    });

    it('may write nothing, and may import a module of its bundle', async () => {
      const inputs = await harness().lay({ 'main.py': 'import side', 'side.py': "print('side')" });
      const ran = await run('', { inputs });
      expect(ran).toMatchObject({ stdout: 'side\n', outcome: { ending: { kind: 'exit', code: 0 }, outputs: [] } });
    });

    it.each([
      ['import sys; sys.exit(7)', 7, ''],
      ['raise SystemExit', 0, ''],
      ["raise SystemExit('why not')", 1, 'why not'],
      ['def f():\n  raise ValueError("odd")\nf()', 1, 'ValueError: odd'],
      ['import os; os._exit(9)', 9, ''],
      ['def broken(:', 1, 'SyntaxError'],
    ])('ends with the exit code of %j', async (code, exitCode, message) => {
      const ran = await run(code);
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: exitCode });
      expect(ran.stderr).toContain(message);
      expect(ran.stderr).not.toContain('_assay');
    });

    it('is measured from outside', async () => {
      const { outcome } = await run('total = sum(range(3_000_000))');
      expect(outcome.usage.cpuMs).toBeGreaterThan(0);
      expect(outcome.usage.wallMs).toBeGreaterThan(0);
      expect(outcome.usage.peakBytes).toBeGreaterThan(1024 * 1024);
    });

    it('cannot change its inputs', async () => {
      const ran = await run("open('main.py', 'w')");
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 1 });
    });
  });

  describe(`${name}: a seeded unit`, () => {
    const code = [
      'import os, random, time, uuid, datetime',
      "text = repr([random.random(), os.urandom(8), str(uuid.uuid4()), time.time(), hash('x'), {'a', 'b', 'c'}])",
      "open('results/out.txt', 'w').write(text)",
    ].join('\n');
    const digest = async (changes: UnitChanges) => {
      const { outcome } = await run(code, changes);
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      return treeDigest(harness().sha256, outcome.outputs);
    };

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
      const ran = await run('import time; t = time.time(); time.sleep(2); print(int(t), time.time() - t >= 2)', {
        epochMs: 1_000_000_000_000,
      });
      expect(ran.stdout).toBe('1000000000 True\n');
    });
  });

  describe(`${name}: limits`, () => {
    it.each([
      ['wall', 'while True: pass', { wallMs: 1200 }],
      ['wall', 'import time; time.sleep(1e9)', { wallMs: 1200 }],
      ['log', "while True: print('x' * 1000)", {}],
      ['outputs', "for i in range(21): open(f'results/{i}', 'w').close()", {}],
      ['outputs', write('results/big', "b'x' * (4 * 1024 * 1024 + 1)"), {}],
    ] as const)('kills for %s: %s', async (why, code, bounds) => {
      const { outcome } = await run(code, { limits: bounds });
      expect(outcome.ending).toEqual({ kind: 'killed', why });
      expect(outcome.outputs).toEqual([]);
      expect(outcome.usage.wallMs).toBeLessThan(20_000);
    });

    it('holds the memory', async () => {
      const { outcome, stdout } = await run('kept = []\nwhile True: kept.append(bytearray(16 * 1024 * 1024))');
      expect([
        { kind: 'exit', code: 1 },
        { kind: 'killed', why: 'memory' },
      ]).toContainEqual(outcome.ending);
      expect(stdout).toBe('');
    });

    it('holds the scratch space, by bytes and by files', async () => {
      const bytes = await run("with open('/tmp/big', 'wb') as f:\n  while True: f.write(b'x' * 65536)");
      const files = await run("i = 0\nwhile True:\n  open(f'/tmp/{i}', 'w').close(); i += 1");
      for (const { outcome } of [bytes, files]) {
        expect([
          { kind: 'exit', code: 1 },
          { kind: 'killed', why: 'scratch' },
        ]).toContainEqual(outcome.ending);
      }
    });

    it('gives scratch space back when files go', async () => {
      const { outcome } = await run(
        "import os\nfor i in range(40):\n  with open('/tmp/t', 'wb') as f: f.write(b'x' * 1_000_000)\n  os.unlink('/tmp/t')",
      );
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
    });

    it('stops when the operator says so, before and during a run', async () => {
      const early = await run('while True: pass', {}, AbortSignal.abort());
      const later = await run('while True: pass', {}, AbortSignal.timeout(1500));
      expect([early.outcome.ending, later.outcome.ending]).toEqual([
        { kind: 'killed', why: 'operator' },
        { kind: 'killed', why: 'operator' },
      ]);
    });

    it('allows exactly the bounds', async () => {
      const code = `${write('results/big', "b'x' * (4 * 1024 * 1024 - 19)")}for i in range(19): open(f'results/{i}', 'w').write('y')`;
      const { outcome } = await run(code);
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(outcome.outputs).toHaveLength(20);
    });
  });

  describe(`${name}: captured outputs`, () => {
    it('takes regular files with safe names only', async () => {
      const ran = await run(
        [
          'import os',
          "os.makedirs('results/d')",
          "for name in ('plain.txt', 'd/x', '..%2f..', 'a\\nb', 'C:\\\\x', 'CON', '.hidden', 'end.', '-dash'):",
          "  open('results/' + name, 'w').write(name)",
          "os.symlink('/etc/passwd', 'results/link')",
          "os.symlink('/', 'results/rootlink')",
          "os.symlink('plain.txt', 'results/inner')",
          "os.makedirs('results/' + '/'.join('abcdefghijkl'))",
          "open('results/' + '/'.join('abcdefghijkl') + '/deep', 'w').write('deep')",
        ].join('\n'),
      );
      expect(ran.outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(paths(ran.outcome.outputs)).toEqual(['d/x', 'plain.txt']);
    });

    it('keeps one of two names that differ in case only', async () => {
      const ran = await run("open('results/Twin', 'w').write('1'); open('results/twin', 'w').write('2')");
      expect(paths(ran.outcome.outputs)).toEqual(['Twin']);
    });

    it('captures nothing where the output folder became a link', async () => {
      const ran = await run("import os; os.rmdir('results'); os.symlink('/lib', 'results')");
      expect(paths(ran.outcome.outputs)).toEqual([]);
    });

    it('releases what it stored', async () => {
      const ran = await run("open('results/x', 'w').write('x')");
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
      await expect(run('', changes)).rejects.toMatchObject({ code: 'sandbox.refused' });
    });

    it('calls an input that is not what it says a fault of its own, not of the unit', async () => {
      const [input] = await harness().lay({ 'main.py': 'pass' });
      if (!input) throw new Error('one input');
      for (const changed of [
        { ...input, sizeBytes: 3 },
        { ...input, sizeBytes: 5 },
      ]) {
        const { outcome } = await run('', { inputs: [changed] });
        expect(outcome.ending.kind).toBe('infra');
      }
      const gone = await run('', { inputs: [{ ...input, hostPath: `${input.hostPath}-gone` }] });
      expect(gone.outcome.ending.kind).toBe('infra');
    });

    it('has nothing to sweep after orderly runs', async () => {
      expect(await harness().driver.sweep()).toBe(0);
    });
  });
}
