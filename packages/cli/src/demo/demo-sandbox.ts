/** The demo's sandboxes: WebAssembly alone, or an engine with the runners' images beside it. */

import { join } from 'node:path';
import { Fault, refuse, type SandboxDriver } from '@assay/core';
import { systemClock } from '@assay/server';
import {
  builtImage,
  loadImage,
  programSettings,
  readRecipe,
  recipeNames,
  startEngine,
  type Recipe,
} from '@assay/sandbox';
import { localDriver, usualSettings, type WorkerSettings } from '@assay/worker';
import { engineInfo } from '../findings/docker.ts';

/** A job of the demo. */
export interface DemoJob {
  /** The folder below `examples`. */
  readonly example: string;
  /** The runner instead of the one in its manifest. */
  readonly runner?: string;
}

export interface DemoSandbox {
  readonly jobs: readonly DemoJob[];
  /** One sentence about what runs the units. */
  readonly text: string;
  /** The driver of the worker at `index`; several workers share one. */
  driverOf(index: number): SandboxDriver;
  /** Removes what an earlier demo left behind. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export interface DemoSandboxOptions {
  readonly folder: string;
  readonly note: (text: string) => void;
  /** Runners that are wanted beside those of the demo's own jobs. */
  readonly runners: readonly string[];
}

function over(drivers: readonly SandboxDriver[], close: () => Promise<void>): Omit<DemoSandbox, 'jobs' | 'text'> {
  return {
    driverOf(index) {
      const driver = drivers[index % drivers.length];
      if (!driver) throw new RangeError('a demo has a driver');
      return driver;
    },
    async sweep() {
      for (const driver of drivers) await driver.sweep();
    },
    async close() {
      await Promise.all(drivers.map((driver) => driver.close()));
      await close();
    },
  };
}

/** The sandbox that every machine has. */
export function wasmSandbox({ folder, note }: DemoSandboxOptions): DemoSandbox {
  const driver = localDriver({ folder, note, clock: systemClock, settings: { sandbox: 'wasm' } });
  return {
    jobs: [{ example: 'hello-world' }, { example: 'pi-monte-carlo' }],
    text: 'Units run in WebAssembly.',
    ...over([driver], async () => {}),
  };
}

const python = 'platform-runner:python';
const dockerJobs: readonly DemoJob[] = [
  { example: 'hello-world', runner: python },
  { example: 'pi-monte-carlo', runner: python },
  { example: 'numpy-bootstrap' },
  { example: 'r-regression' },
  { example: 'gromacs-minimise' },
  { example: 'pytorch-train' },
  { example: 'openfoam-cavity' },
];
const dockerImages: readonly string[] = ['python', 'r', 'gromacs', 'pytorch', 'openfoam'];

/** The images of the demo's jobs, and those of the other runners that have a recipe. */
export function imagesFor(runners: readonly string[], recipes: readonly string[]): readonly string[] {
  const added = runners.flatMap((runner) => /^platform-runner:(.+)$/.exec(runner)?.[1] ?? []);
  return [...new Set([...dockerImages, ...added.filter((name) => recipes.includes(name))])];
}

/**
 * Containers for every worker, with R in containers on every other one and in WebAssembly on the rest. Refuses
 * `sandbox.unavailable` where an image or an engine is missing, with what to do.
 */
export async function dockerSandbox(
  options: DemoSandboxOptions & { readonly socketPath?: string },
): Promise<DemoSandbox> {
  const { imagesDir } = programSettings();
  const recipes = builtRecipes(imagesFor(options.runners, recipeNames()), imagesDir);
  const engine = await engineFor(options.socketPath);
  try {
    for (const recipe of recipes) await loadImage(recipe, imagesDir, engine.socketPath);
    const driver = (prefer: WorkerSettings['prefer']) =>
      localDriver({
        folder: join(options.folder, prefer),
        note: options.note,
        clock: systemClock,
        settings: {
          prefer,
          docker_socket: engine.socketPath,
          images_dir: imagesDir,
          policy: engine.gvisor ? 'default' : 'trusted',
        },
        ...(engine.cgroupParent !== undefined && { cgroupParent: engine.cgroupParent }),
      });
    const runtime = engine.gvisor ? 'gVisor' : 'runc, for the demo’s own jobs only: gVisor is not built';
    return {
      jobs: dockerJobs,
      text: `Units run in containers on ${runtime}; R runs in WebAssembly on every other worker.`,
      ...over([driver('docker'), driver('wasm')], () => engine.stop()),
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

function builtRecipes(images: readonly string[], imagesDir: string): readonly Recipe[] {
  const recipes = images.map((name) => readRecipe(name));
  const missing = recipes.filter((recipe) => builtImage(imagesDir, recipe) === undefined).map(({ name }) => name);
  if (missing.length === 0) return recipes;
  const names = missing.length === recipes.length ? '' : ` ${missing.join(' ')}`;
  throw refuse('sandbox.unavailable', `no image of ${missing.join(', ')} is built here: ./assay images build${names}`);
}

interface DemoEngine {
  readonly socketPath: string;
  readonly gvisor: boolean;
  readonly cgroupParent?: string;
  stop(): Promise<void>;
}

/** The engine that is named, else the machine's where it will do, else one of our own. */
async function engineFor(named: string | undefined): Promise<DemoEngine> {
  const socketPath = named ?? usualSettings.docker_socket;
  const info = await engineInfo(socketPath);
  if (typeof info === 'string') {
    if (named === undefined) return startEngine();
    throw new Fault('sandbox.unavailable', `no engine answers: ${info}`, { retry: true });
  }
  if (named !== undefined || info.security.includes('userns')) {
    return { socketPath, gvisor: info.runtimes.includes('runsc'), stop: async () => {} };
  }
  return startEngine();
}
