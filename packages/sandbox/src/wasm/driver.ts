/**
 * The sandbox driver for machines without Docker: Python, R and WASI programs in WebAssembly, in a locked-down child
 * process that serves one unit and dies. Limits are enforced from outside; nothing the child says is more than a job's claim.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  limits,
  refuse,
  type Details,
  type DriverReport,
  type Refusal,
  type RunnerReport,
  type SandboxDriver,
  type SandboxOutcome,
  type SandboxUnit,
} from '@assay/core';
import { admitFilesAndTexts } from '../admit-files.ts';
import { startIdle, type IdleChild } from './idle-child.ts';
import { languages, type Language } from './languages.ts';
import { warmPool, type PoolBounds } from './pool.ts';
import { abandoned, openRunFolder } from './run-folder.ts';
import { prepareRuntime, type Runtime } from './runtime.ts';
import { cpuBound, runInChild, type UnitRun } from './run-unit.ts';

export interface WasmDriverDeps {
  /** Where the interpreter is staged; kept between starts. */
  readonly cacheDir: string;
  /** Where runs keep their files; one folder may serve several drivers. */
  readonly workDir: string;
  /** Processes that wait started, for each runner that units come for; none when left out. */
  readonly warm?: PoolBounds;
  /** Told about repairs, in one sentence each. */
  readonly note?: (text: string) => void;
}

const leastNode = 24;

export interface WasmDriver extends SandboxDriver {
  /** Resolves when as many processes wait for units like this one as may. */
  prepare(unit: SandboxUnit): Promise<void>;
}

/** The driver; nothing is staged before the first `probe` or `run`. */
export function wasmDriver(deps: WasmDriverDeps): WasmDriver {
  const note = deps.note ?? (() => {});
  const runtime = preparedOnce((language) => prepareRuntime(language, deps.cacheDir, note));
  const running = new Set<Promise<unknown>>();
  const pool = warmPool<Language>({
    ...(deps.warm ?? { cells: 0, memoryBytes: 0 }),
    start: async (language) => startIdle(deps.workDir, language.name, await runtime(language)),
    bytesOf: ({ overheadBytes }) => overheadBytes,
    note,
  });
  return {
    name: 'wasm',
    probe: () => probe(runtime),
    async run(unit, log, stop) {
      const language = admit(unit);
      const prepared = await runtime(language);
      const idle = cpuBound(unit) <= limits.sandboxIdleCpuSeconds ? pool.take(language) : undefined;
      const run = runIn(deps.workDir, idle, { runtime: prepared, unit, log, stop });
      const ended = run
        .then(({ gone }) => gone)
        .catch(() => {})
        .finally(() => running.delete(ended));
      running.add(ended);
      return (await run).outcome;
    },
    prepare: (unit) => pool.fill(admit(unit)),
    sweep: () => abandoned(deps.workDir),
    async close() {
      await pool.close();
      await Promise.all(running);
    },
  };
}

/** Each language's runtime, prepared when it is first asked for and once more after it failed. */
function preparedOnce(prepare: (language: Language) => Promise<Runtime>) {
  const preparing = new Map<Language, Promise<Runtime>>();
  return (language: Language): Promise<Runtime> => {
    const started = preparing.get(language);
    if (started) return started;
    const starting = prepare(language).catch((error: unknown) => {
      preparing.delete(language);
      throw error;
    });
    preparing.set(language, starting);
    return starting;
  };
}

async function runIn(
  workDir: string,
  idle: IdleChild | undefined,
  run: Pick<UnitRun, 'runtime' | 'unit' | 'log' | 'stop'>,
): Promise<{ readonly outcome: SandboxOutcome; readonly gone: Promise<void> }> {
  const folder = idle?.folder ?? (await openRunFolder(workDir, run.unit.label));
  const outputRoot = join(folder.path, 'outputs');
  try {
    await mkdir(outputRoot, { mode: 0o700 });
    const { gone, ...report } = await runInChild({
      ...run,
      ...(idle && { idle }),
      outputRoot,
      onSpawn: folder.remember,
    });
    if (report.ending.kind !== 'exit') await rm(outputRoot, { recursive: true, force: true });
    return { outcome: { ...report, outputRoot, release: folder.remove }, gone };
  } catch (error) {
    await idle?.child.destroy();
    await folder.remove();
    throw error;
  }
}

function no(message: string, details: Details = {}): Refusal {
  return refuse('sandbox.refused', message, details);
}

/** The language of the unit's runner; refuses what this driver cannot hold. */
function admit(unit: SandboxUnit): Language {
  const { memoryBytes } = unit.limits;
  const language = languages.find(({ runner }) => runner === unit.runner);
  if (!language)
    throw no(`this driver runs ${languages.map(({ runner }) => runner).join(', ')}`, { runner: unit.runner });
  if (memoryBytes < limits.sandboxMemoryMinBytes || memoryBytes > limits.sandboxMemoryMaxBytes) {
    throw no('WebAssembly holds 64 MiB to 4 GiB of memory', { memoryBytes });
  }
  if ((unit.network?.length ?? 0) > 0) throw no('this driver gives a unit no network');
  if (unit.gpu) throw no('this driver has no graphics processor to give');
  if (unit.limits.wallMs <= 0 || !Number.isFinite(unit.limits.wallMs)) throw no('a unit needs a time limit');
  admitFilesAndTexts(unit);
  const inputBytes = unit.inputs.reduce((total, input) => total + input.sizeBytes, 0);
  if (inputBytes > memoryBytes) throw no('the inputs do not fit into the memory', { inputBytes, memoryBytes });
  return language;
}

async function probe(runtime: (language: Language) => Promise<Runtime>): Promise<DriverReport> {
  const report = { driver: 'wasm', runners: [] };
  const major = Number(process.versions.node.split('.')[0]);
  if (process.platform === 'win32') return { ...report, usable: false, detail: 'needs process groups' };
  if (major < leastNode)
    return { ...report, usable: false, detail: `needs Node ${leastNode}, this is ${process.version}` };
  const runners: RunnerReport[] = [];
  const titles: string[] = [];
  const faults: string[] = [];
  let standing = '';
  let who = 'as the same user as the worker: give it a user of its own';
  for (const language of languages) {
    const { runner, title } = language;
    try {
      const { identity, digest, walls } = await runtime(language);
      if (identity) who = `as uid ${identity.uid}`;
      standing = walls.words;
      runners.push({ runner, digest });
      titles.push(title);
    } catch (error) {
      faults.push(`${title}: ${(error as Error).message}`);
    }
  }
  const missing = faults.length === 0 ? '' : `; not here: ${faults.join('; ')}`;
  if (runners.length === 0) return { ...report, usable: false, detail: faults.join('; ') };
  const detail = `${titles.join(', ')} in WebAssembly, a process per unit ${who}, no network, ${standing}${missing}`;
  return { driver: 'wasm', runners, usable: true, detail };
}
