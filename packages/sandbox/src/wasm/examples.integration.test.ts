import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifestText, type InputFile } from '@assay/core';
import { runPython } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { pythonRunner } from './languages.ts';

const examples = join(import.meta.dirname, '../../../../examples');
let kit: DriverKit;
beforeAll(async () => {
  kit = await driverKit();
});
afterAll(() => kit.close());

async function load(name: string) {
  const folder = join(examples, name);
  const files: Record<string, string> = {};
  for (const file of await readdir(folder)) files[file] = await readFile(join(folder, file), 'utf8');
  return { files, manifest: parseManifestText(files['manifest.json'] ?? '', { runners: [pythonRunner] }) };
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
});
