import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseManifestText, type InputFile, type Manifest, type SandboxOutcome } from '@assay/core';
import { allowedImages } from '../docker/allowed-images.ts';
import { dockerDriver, type DockerDriver } from '../docker/driver.ts';
import { programSettings } from '../docker/engine/config.ts';
import { startEngine, type Engine } from '../docker/engine/engine.ts';
import { layFiles, readOutput } from '../capture/inputs.setup.ts';
import { neededImages } from './images.setup.ts';
import { loadImage } from './load.ts';
import { readRecipe, recipeNames } from './recipe.ts';

const examples = join(import.meta.dirname, '../../../../examples');
const mebibyte = 1024 * 1024;
const names = recipeNames();
let folder: string;
let engine: Engine;
let driver: DockerDriver;

interface Ran {
  readonly outcome: SandboxOutcome;
  readonly said: string;
  read(path: string): Promise<string>;
  metrics(): Promise<Record<string, number>>;
}

async function load(name: string): Promise<{ inputs: InputFile[]; manifest: Manifest }> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(examples, name), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(join(examples, name).length + 1)] = await readFile(path, 'utf8');
  }
  const runners = names.map((image) => `platform-runner:${image}`);
  const manifest = parseManifestText(files['manifest.json'] ?? '', { runners });
  return { inputs: await layFiles(join(folder, 'inputs'), files), manifest };
}

/** Runs one unit of the example as a worker would, on gVisor. */
async function run(
  name: string,
  ordinal = 0,
  changes: { entryPoint?: string; inputs?: InputFile[] } = {},
): Promise<Ran> {
  const { inputs, manifest } = await load(name);
  const seed = (manifest.environment.random_seed ?? 0) + ordinal;
  let said = '';
  const outcome = await driver.run(
    {
      label: name,
      runner: manifest.runner,
      entryPoint: changes.entryPoint ?? manifest.entry_point,
      args: changes.entryPoint === undefined ? manifest.args : [],
      inputs: [...inputs, ...(changes.inputs ?? [])],
      outputDir: 'results',
      environment: {
        ASSAY_UNIT_ORDINAL: String(ordinal),
        ASSAY_UNITS: String(manifest.parallelism.chunks),
        ASSAY_SEED: String(seed),
      },
      randomSeed: seed,
      limits: {
        wallMs: 600_000,
        memoryBytes: manifest.resources.memory_gb * 1024 * mebibyte,
        scratchBytes: 256 * mebibyte,
        outputFiles: 100,
        outputBytes: 64 * mebibyte,
        logBytes: mebibyte,
      },
    },
    (_stream, text) => {
      said += text;
    },
    new AbortController().signal,
  );
  expect({ ending: outcome.ending, said }).toEqual({ ending: { kind: 'exit', code: 0 }, said });
  const read = (path: string): Promise<string> => readOutput(outcome, path);
  return {
    outcome,
    said,
    read,
    metrics: async () => JSON.parse(await read('metrics.json')) as Record<string, number>,
  };
}

/** The columns of a table with a head, by name. */
function columns(csv: string): Record<string, number[]> {
  const [head = '', ...rows] = csv.trim().split('\n');
  return Object.fromEntries(
    head.split(',').map((name, index) => [name, rows.map((row) => Number(row.split(',')[index]))]),
  );
}

const { skip, why } = neededImages(names);

describe.skipIf(skip)(`the examples in their images${why}`, { timeout: 900_000 }, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'assay-examples-'));
    engine = await startEngine();
    for (const name of names) await loadImage(readRecipe(name), programSettings().imagesDir, engine.socketPath);
    driver = dockerDriver({
      socketPath: engine.socketPath,
      cgroupParent: engine.cgroupParent,
      workDir: join(folder, 'runs'),
      images: allowedImages(),
      isolation: 'default',
    });
  }, 600_000);
  afterAll(async () => {
    await driver?.close();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test('gromacs-minimise goes downhill to the energy of bound water', async () => {
    const { metrics, read } = await run('gromacs-minimise');
    const energies = columns(await read('potential.csv'))['potential_kj_mol'] ?? [];
    const { potential_energy: last = 0, initial_energy: first = 0 } = await metrics();
    expect(energies[0]).toBeCloseTo(first, 5);
    expect(energies.at(-1)).toBeCloseTo(last, 5);
    expect(Math.min(...energies)).toBe(energies.at(-1));
    // Liquid water binds by about 42 kJ/mol a molecule, and minimised water by more.
    expect(last / 216).toBeLessThan(-42);
    expect(last / 216).toBeGreaterThan(-60);
    expect((await read('minimised.gro')).split('\n')[1]?.trim()).toBe('648');
  });

  test('pytorch-train learns, and a second replica learns the same', async () => {
    const [one, two] = [await run('pytorch-train'), await run('pytorch-train')];
    const history = columns(await one.read('history.csv'));
    expect(history['val_loss']?.[0]).toBeGreaterThan(0.5);
    const { val_loss: loss, accuracy } = await one.metrics();
    expect(loss).toBeLessThan(0.1);
    expect(accuracy).toBeGreaterThan(0.95);
    expect(await two.metrics()).toEqual(await one.metrics());
  });

  test('openfoam-cavity settles to the flow that the literature has', async () => {
    const { metrics, read } = await run('openfoam-cavity');
    const residuals = columns(await read('residuals.csv'));
    expect(residuals['ux']).toHaveLength(100);
    expect(residuals['p']?.at(-1)).toBeLessThan(1e-5);
    const { least_middle_u: least = 0, kinetic_energy: energy } = await metrics();
    // The middle's backflow at small Reynolds numbers is about a fifth of the lid's speed.
    expect(least).toBeGreaterThan(-0.22);
    expect(least).toBeLessThan(-0.19);
    expect(energy).toBeCloseTo(0.0316, 3);
    expect(await read('U.foam')).toContain('volVectorField');
  });

  test('numpy-bootstrap takes a quantity a unit, and its merge makes the table', async () => {
    const parts: InputFile[] = [];
    for (const ordinal of [0, 1, 2, 3]) {
      const { outcome, metrics } = await run('numpy-bootstrap', ordinal);
      const { estimate = 0, lower = 0, upper = 0 } = await metrics();
      expect(lower).toBeLessThan(estimate);
      expect(upper).toBeGreaterThan(estimate);
      for (const file of outcome.outputs) {
        const hostPath = join(outcome.outputRoot, file.sha256);
        parts.push({ ...file, path: `inputs/000${ordinal}/${file.path}`, hostPath });
      }
    }
    const merged = await run('numpy-bootstrap', 0, { entryPoint: 'merge.py', inputs: parts });
    const rows = (await merged.read('summary.csv')).trim().split('\n');
    expect(rows.map((row) => row.split(',')[0])).toEqual(['quantity', 'mean', 'median', 'spread', 'correlation']);
  });

  test('r-regression explains the harvest', async () => {
    const { metrics, read, said } = await run('r-regression');
    expect(said).toContain('full of 3 models');
    const { r_squared: explained, cross_validated_error: missed } = await metrics();
    expect(explained).toBeCloseTo(0.781647909099428, 9);
    expect(missed).toBeCloseTo(0.2566, 3);
    expect((await read('coefficients.csv')).split('\n')[0]).toBe('term,estimate,standard_error,t,p');
  });
});
