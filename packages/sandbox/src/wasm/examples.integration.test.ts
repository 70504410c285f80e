import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText, type InputFile } from '@assay/core';
import { runPython } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { pythonRunner, rRunner, wasiRunner } from './languages.ts';

const examples = join(import.meta.dirname, '../../../../examples');
let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit();
});
afterAll(() => kit.close());

async function load(name: string) {
  const folder = join(examples, name);
  const files: Record<string, Uint8Array> = {};
  for (const file of await readdir(folder)) files[file] = await readFile(join(folder, file));
  const runners = [pythonRunner, rRunner, wasiRunner];
  return { files, manifest: parseManifestText(String(files['manifest.json']), { runners }) };
}

describe('the examples', () => {
  it('hello-world greets', async () => {
    const { files, manifest } = await load('hello-world');
    const inputs = await kit.lay(files);
    const { outcome, stdout } = await runPython(kit, '', {
      inputs,
      entryPoint: manifest.entry_point,
      args: manifest.args,
    });
    expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
    expect(stdout).toBe('Hello, world!\n');
    expect(await kit.read(outcome, 'hello.txt')).toBe('Hello, world!\n');
  });

  it('pi-monte-carlo estimates pi by units, and its merge adds them up', async () => {
    const { files, manifest } = await load('pi-monte-carlo');
    const inputs = await kit.lay(files);
    const parts: InputFile[] = [];
    for (const ordinal of [0, 1]) {
      const { outcome } = await runPython(kit, '', {
        inputs,
        entryPoint: manifest.entry_point,
        args: manifest.args,
        environment: { ASSAY_UNIT_ORDINAL: String(ordinal), ASSAY_UNITS: '2', ASSAY_SEED: String(7 + ordinal) },
        randomSeed: 7 + ordinal,
      });
      expect(outcome.outputs.map((file) => file.path)).toEqual(['metrics.json', 'points.json']);
      const { pi } = JSON.parse(await kit.read(outcome, 'metrics.json')) as { pi: number };
      expect(Math.abs(pi - Math.PI)).toBeLessThan(0.01);
      for (const file of outcome.outputs) {
        parts.push({
          ...file,
          path: `inputs/000${ordinal}/${file.path}`,
          hostPath: join(outcome.outputRoot, file.sha256),
        });
      }
    }
    const merged = await runPython(kit, '', {
      inputs: [...inputs, ...parts],
      entryPoint: manifest.parallelism.merge_script!,
    });
    const summary = JSON.parse(await kit.read(merged.outcome, 'summary.json')) as { pi: number; units: number };
    expect(summary).toMatchObject({ units: 2, points: 2_000_000 });
    expect(Math.abs(summary.pi - Math.PI)).toBeLessThan(0.01);
  });

  it('r-regression explains the harvest as every other R does', async () => {
    const { files, manifest } = await load('r-regression');
    const inputs = await kit.lay(files);
    const { outcome, stdout } = await runPython({ ...kit, runner: rRunner }, '', {
      inputs,
      entryPoint: manifest.entry_point,
      args: manifest.args,
    });
    expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
    expect(stdout).toContain('R squared');
    const metrics = JSON.parse(await kit.read(outcome, 'metrics.json')) as Record<string, number>;
    // The share of the variance that Debian's R finds in a container.
    expect(metrics['r_squared']).toBeCloseTo(0.781647909099428, 9);
    expect(metrics['cross_validated_error']).toBeCloseTo(0.2566, 3);
  });

  it('mandelbrot-area measures the set by units, which together have every point once', async () => {
    const { files, manifest } = await load('mandelbrot-area');
    const inputs = await kit.lay(files);
    const counts = { inside: 0, points: 0 };
    for (const ordinal of [0, 1]) {
      const { outcome } = await runPython({ ...kit, runner: wasiRunner }, '', {
        inputs,
        entryPoint: manifest.entry_point,
        args: manifest.args,
        environment: { ASSAY_UNIT_ORDINAL: String(ordinal), ASSAY_UNITS: '2' },
      });
      const count = JSON.parse(await kit.read(outcome, 'count.json')) as typeof counts;
      counts.inside += count.inside;
      counts.points += count.points;
    }
    expect(counts.points).toBe(360_000);
    expect(Math.abs((6.25 * counts.inside) / counts.points - 1.5066)).toBeLessThan(0.02);
  });
});
