/**
 * The sandbox driver for machines without Docker: the Python interpreter in WebAssembly, in a locked-down child process
 * that serves one unit and dies. Limits are enforced from outside; nothing the child says is more than a job's claim.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  limits,
  refuse,
  isSafePath,
  type Details,
  type DriverReport,
  type LogSink,
  type Refusal,
  type SandboxDriver,
  type SandboxOutcome,
  type SandboxUnit,
} from '@assay/core';
import { abandoned, openRunFolder } from './run-folder.ts';
import { prepareRuntime, type Runtime } from './runtime.ts';
import { runInChild } from './run-unit.ts';

/** The one runner of this driver. */
export const pythonRunner = 'platform-runner:python-3.14';

export interface WasmDriverDeps {
  /** Where the interpreter is staged; kept between starts. */
  readonly cacheDir: string;
  /** Where runs keep their files; one folder may serve several drivers. */
  readonly workDir: string;
  /** Told about repairs, in one sentence each. */
  readonly note?: (text: string) => void;
}

const leastNode = 24;

/** The driver; nothing is staged before the first `probe` or `run`. */
export function wasmDriver(deps: WasmDriverDeps): SandboxDriver {
  let preparing: Promise<Runtime> | undefined;
  const runtime = () => {
    preparing ??= prepareRuntime(deps.cacheDir, deps.note ?? (() => {})).catch((error: unknown) => {
      preparing = undefined;
      throw error;
    });
    return preparing;
  };
  return {
    name: 'wasm',
    probe: () => probe(runtime),
    async run(unit, log, stop) {
      admit(unit);
      return runIn(deps.workDir, await runtime(), unit, log, stop);
    },
    sweep: () => abandoned(deps.workDir),
    close: async () => {},
  };
}

async function runIn(
  workDir: string,
  runtime: Runtime,
  unit: SandboxUnit,
  log: LogSink,
  stop: AbortSignal,
): Promise<SandboxOutcome> {
  const folder = await openRunFolder(workDir, unit.label);
  const outputRoot = join(folder.path, 'outputs');
  await mkdir(outputRoot, { mode: 0o700 });
  const release = () => rm(folder.path, { recursive: true, force: true });
  try {
    const report = await runInChild({ runtime, unit, log, stop, outputRoot, onSpawn: folder.remember });
    await folder.forget();
    if (report.ending.kind !== 'exit') await rm(outputRoot, { recursive: true, force: true });
    return { ...report, outputRoot, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function no(message: string, details: Details = {}): Refusal {
  return refuse('sandbox.refused', message, details);
}

/** Refuses what this driver cannot hold. */
function admit(unit: SandboxUnit): void {
  const { memoryBytes } = unit.limits;
  if (unit.runner !== pythonRunner) throw no(`this driver runs ${pythonRunner} only`, { runner: unit.runner });
  if (memoryBytes < limits.sandboxMemoryMinBytes || memoryBytes > limits.sandboxMemoryMaxBytes) {
    throw no('WebAssembly holds 64 MiB to 4 GiB of memory', { memoryBytes });
  }
  if ((unit.network?.length ?? 0) > 0) throw no('this driver gives a unit no network');
  if (unit.limits.wallMs <= 0 || !Number.isFinite(unit.limits.wallMs)) throw no('a unit needs a time limit');
  for (const path of [unit.entryPoint, unit.outputDir, ...unit.inputs.map((input) => input.path)]) {
    if (!isSafePath(path)) throw no('a path is not safe', { path });
  }
  if (!unit.inputs.some((input) => input.path === unit.entryPoint)) {
    throw no('the entry point is not among the inputs', { entryPoint: unit.entryPoint });
  }
  const inputBytes = unit.inputs.reduce((total, input) => total + input.sizeBytes, 0);
  if (inputBytes > memoryBytes) throw no('the inputs do not fit into the memory', { inputBytes, memoryBytes });
}

async function probe(runtime: () => Promise<Runtime>): Promise<DriverReport> {
  const report = { driver: 'wasm', runners: [] };
  const major = Number(process.versions.node.split('.')[0]);
  if (process.platform === 'win32') return { ...report, usable: false, detail: 'needs process groups' };
  if (major < leastNode)
    return { ...report, usable: false, detail: `needs Node ${leastNode}, this is ${process.version}` };
  try {
    const { identity, digest } = await runtime();
    const who = identity ? `as uid ${identity.uid}` : 'as the same user as the worker: give it a user of its own';
    const runners = [{ runner: pythonRunner, digest }];
    return {
      driver: 'wasm',
      runners,
      usable: true,
      detail: `Python 3.14 in WebAssembly, a process per unit ${who}, no network`,
    };
  } catch (error) {
    return { ...report, usable: false, detail: (error as Error).message };
  }
}
