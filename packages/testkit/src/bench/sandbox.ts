/** `bench sandbox`: starting, ending and counting real sandboxes, beside a plain `docker run`. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  allowedImages,
  dockerDriver,
  loadImage,
  programSettings,
  readRecipe,
  startEngine,
  wasmDriver,
  type Engine,
} from '@assay/sandbox';
import type { SandboxBenchOptions } from './sandbox-options.ts';
import { poolFor, rateRows } from './sandbox-rates.ts';
import { findingOf, machineLine, rowOf, tableOf, type Row } from './sandbox-report.ts';
import { coldStarts, kills, warmStarts, withAudit, type PreparingDriver } from './sandbox-starts.ts';
import { emptyWasm, endlessPython, numpyPython, plainPython, plainR, unitOf } from './sandbox-units.ts';

const goals = {
  runc: { cold: 250, warm: 25 },
  runsc: { cold: 650, warm: 30 },
  killed: 600,
  replicas: 60,
  python: { cold: 900, warm: 50 },
  wasi: 120,
} as const;

/** Measures row after row, so that none disturbs another. */
export async function runSandboxBench(options: SandboxBenchOptions, print: (line: string) => void): Promise<void> {
  const [load = 0] = loadavg();
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const rows: Row[] = [];
  try {
    const parts = [
      ...(runtimesOf(options).length > 0 ? [dockerRows] : []),
      ...(options.only.includes('wasm') ? [wasmRows] : []),
    ];
    for (const part of parts) {
      for await (const row of part(options, folder)) {
        rows.push(row);
        const { p50 = '', p90 = '', rate = '', skipped = '' } = findingOf(row);
        if (!options.json) process.stderr.write(`${row.name}: ${p50} ${p90} ${rate}${skipped}\n`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const findings = rows.map(findingOf);
  const machine = machineLine(load);
  if (options.json) print(JSON.stringify({ machine, options, findings }, undefined, 2));
  else for (const line of [machine, '', ...tableOf(findings)]) print(line);
}

const runner = 'platform-runner:python';
const runtimes = ['runc', 'runsc'] as const;
const runtimesOf = ({ only }: SandboxBenchOptions) => runtimes.filter((one) => only.includes(one));

async function* dockerRows(options: SandboxBenchOptions, folder: string): AsyncGenerator<Row> {
  let engine: Engine | undefined;
  try {
    engine = await startEngine();
    const known = allowedImages().find((one) => one.runner === runner);
    const { imagesDir } = programSettings();
    const image = known?.image ?? (await loadImage(readRecipe('python'), imagesDir, engine.socketPath));
    for (const runtime of runtimesOf(options)) yield* runtimeRows(options, folder, engine, image, runtime);
  } catch (error) {
    yield { name: 'docker', skipped: error instanceof Error ? error.message : String(error) };
  } finally {
    await engine?.stop();
  }
}

async function* runtimeRows(
  { runs, pool }: SandboxBenchOptions,
  folder: string,
  engine: Engine,
  image: string,
  runtime: (typeof runtimes)[number],
): AsyncGenerator<Row> {
  const driverWith = (cells: number) =>
    dockerDriver({
      socketPath: engine.socketPath,
      cgroupParent: engine.cgroupParent,
      workDir: join(folder, 'runs'),
      images: [{ runner, image, programs: ['python'] }],
      isolation: runtime === 'runc' ? 'trusted' : 'default',
      warm: { cells, memoryBytes: 1024 ** 4 },
    });
  const withDriver = <T>(cells: number, use: (driver: PreparingDriver) => Promise<T>) =>
    withAudit(folder, driverWith(cells), use);
  const python = (code: string) => unitOf(join(folder, 'inputs'), runner, 'main.py', code);
  const plain = await python(plainPython);
  const numpy = await python(numpyPython);
  const endless = await python(endlessPython);
  yield rowOf(`docker run --runtime=${runtime}, python`, undefined, async () => ({
    samples: await dockerRuns(engine.socketPath, image, runtime, runs),
  }));
  yield rowOf(`${runtime} cold, python`, goals[runtime].cold, async () => ({
    samples: await withDriver(0, (driver) => coldStarts(driver, plain, runs)),
  }));
  yield rowOf(`${runtime} warm, python with numpy`, goals[runtime].warm, async () => ({
    samples: await withDriver(1, (driver) => warmStarts(driver, numpy, runs)),
  }));
  yield rowOf(`${runtime} killed until gone`, goals.killed, async () => ({
    samples: await withDriver(0, (driver) => kills(driver, endless, runs)),
  }));
  const cells = poolFor(runtime, pool);
  const goal = runtime === 'runc' ? goals.replicas : undefined;
  yield* rateRows(runtime, goal, cells, numpy, withDriver);
}

const run = promisify(execFile);

/** The command as anybody types it, without any of our measures. */
async function dockerRuns(socketPath: string, image: string, runtime: string, runs: number): Promise<number[]> {
  const host = ['--host', `unix://${socketPath}`];
  const container = ['run', '--rm', '--network=none', `--runtime=${runtime}`, '--entrypoint=/usr/bin/python3', image];
  const samples: number[] = [];
  for (let one = 0; one < runs; one += 1) {
    const before = performance.now();
    await run('docker', [...host, ...container, '-c', 'print(sum(range(1000)))']);
    samples.push(performance.now() - before);
  }
  return samples;
}

interface WasmKind {
  readonly name: string;
  readonly runner: string;
  readonly cold?: number;
  readonly warm?: number;
  readonly entry: string;
  readonly code: string | Uint8Array;
}

const wasmKinds: readonly WasmKind[] = [
  {
    name: 'python',
    runner: 'platform-runner:python-3.14',
    cold: goals.python.cold,
    warm: goals.python.warm,
    entry: 'main.py',
    code: plainPython,
  },
  { name: 'R', runner: 'platform-runner:r', entry: 'main.R', code: plainR },
  { name: 'WASI', runner: 'platform-runner:wasi', cold: goals.wasi, entry: 'main.wasm', code: emptyWasm },
];

async function* wasmRows({ runs, pool }: SandboxBenchOptions, folder: string): AsyncGenerator<Row> {
  const driverWith = (cells: number) =>
    wasmDriver({
      cacheDir: join(tmpdir(), 'assay-bench-runtime'),
      workDir: join(folder, 'runs'),
      warm: { cells, memoryBytes: 1024 ** 4 },
    });
  const withDriver = <T>(cells: number, use: (driver: PreparingDriver) => Promise<T>) =>
    withAudit(folder, driverWith(cells), use);
  const { runners } = await withDriver(0, (driver) => driver.probe());
  for (const { name, runner: wanted, entry, code, ...goal } of wasmKinds) {
    if (!runners.some((one) => one.runner === wanted)) {
      yield { name: `wasm ${name}`, skipped: 'the wasm driver has no such runner' };
      continue;
    }
    const unit = await unitOf(join(folder, 'inputs'), wanted, entry, code);
    yield rowOf(`wasm ${name}, cold`, goal.cold, async () => ({
      samples: await withDriver(0, (driver) => coldStarts(driver, unit, runs)),
    }));
    yield rowOf(`wasm ${name}, warm`, goal.warm, async () => ({
      samples: await withDriver(1, (driver) => warmStarts(driver, unit, runs)),
    }));
    const cells = poolFor('wasm', pool);
    yield* rateRows(`wasm ${name}`, undefined, cells, unit, withDriver);
  }
}
