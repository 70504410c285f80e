import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askEngine, loadImage, programSettings, readRecipe, startEngine } from '@assay/sandbox';
import { neededImages } from '@assay/sandbox/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prngOf } from '../simulation/prng.ts';
import { commandProcess, soon, type CommandProcess } from './command-process.setup.ts';
import { processesIn } from './process-tree.setup.ts';
import { openWholeMarket, submit, type WholeMarket } from './whole-market.setup.ts';

const onLinux = process.platform === 'linux';
const seed = Number(process.env['ASSAY_SEED'] ?? randomInt(1_000_000));
const random = prngOf(seed);
const rounds = 6;
/** For a start that stages every interpreter anew on a machine that is busy with other tests. */
const patienceMs = 150_000;

let market: WholeMarket;
let folder: string;
let command: CommandProcess;
beforeEach(async () => {
  market = await openWholeMarket({ workers: 0, capacity: 1 });
  folder = await mkdtemp(join(tmpdir(), 'assay-killed-worker-'));
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'tmp'));
  await chmod(join(folder, 'tmp'), 0o1777);
  command = commandProcess(join(folder, 'state'), join(folder, 'tmp'));
});
afterEach(async () => {
  command.stop();
  await market.close();
  await rm(folder, { recursive: true, force: true });
});

/** Takes a second or two, and writes enough for a kill to meet files that are half there. */
const program = `import os, time
os.makedirs("results", exist_ok=True)
for part in range(8):
    with open(f"results/{part}.bin", "wb") as file:
        file.write(os.urandom(200_000))
    time.sleep(0.15)
`;

/** Files below a folder, by their paths in it. */
async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}

const ofWasm: Sandbox = {
  name: 'wasm',
  runner: 'platform-runner:python-3.14',
  flags: [],
  runs: 'sandbox/runs',
  left: async () => [],
  close: async () => {},
};

interface Sandbox {
  readonly name: 'wasm' | 'docker';
  readonly runner: string;
  readonly flags: readonly string[];
  /** Where runs have their folders, below the worker's. */
  readonly runs: string;
  /** What workers of these processes left outside of their folders. */
  left(pids: readonly number[]): Promise<string[]>;
  close(): Promise<void>;
}

/** Containers and control groups are known by the process that asked for them. */
async function ofDocker(): Promise<Sandbox> {
  const engine = await startEngine();
  const { imagesDir } = programSettings();
  await loadImage(readRecipe('python'), imagesDir, engine.socketPath);
  return {
    name: 'docker',
    runner: 'platform-runner:python',
    flags: ['--docker-socket', engine.socketPath, '--images-dir', imagesDir],
    runs: 'sandbox/docker-runs',
    async left(pids) {
      const { body } = await askEngine(engine.socketPath, 'GET', '/containers/json?all=1');
      const owners = (JSON.parse(body) as { Labels: Record<string, string> }[]).map(
        ({ Labels }) => Labels['assay.sandbox.owner'] ?? '',
      );
      const groups = await readdir('/sys/fs/cgroup/memory/assay').catch(() => []);
      const ours = (name: string) => pids.some((pid) => name.replace('unit-', '').startsWith(`${pid}-`));
      return [...owners, ...groups].filter(ours);
    },
    close: () => engine.stop(),
  };
}

const docker = neededImages(['python']);

const nothing = { processes: [], outside: [], temporary: [], mounts: [], runs: [], files: [], staging: [] };

describe('a worker that is killed at any moment', { timeout: 600_000 }, () => {
  test.skipIf(!onLinux)(`leaves nothing after its next start (seed ${seed}; needs /proc of Linux)`, async () => {
    expect(await leftAfterKills(ofWasm)).toEqual({ met: 0, left: nothing });
  });

  test.skipIf(docker.skip)(`leaves no container either (seed ${seed})${docker.why}`, async () => {
    const sandbox = await ofDocker();
    try {
      const { met, left } = await leftAfterKills(sandbox);
      expect(left).toEqual(nothing);
      expect(met, 'containers and control groups between a kill and the next start').toBeGreaterThan(0);
    } finally {
      await sandbox.close();
    }
  });
});

interface Left {
  /** What there was outside of the worker's folder before the next start. */
  readonly met: number;
  /** What there is after the last start's end. */
  readonly left: Readonly<Record<keyof typeof nothing, readonly unknown[]>>;
}

async function leftAfterKills(sandbox: Sandbox): Promise<Left> {
  const environment = { ASSAY_URL: market.url, ASSAY_API_KEY: await market.provider('dora') };
  const ways = ['worker', '--name', 'w', '--sandbox', sandbox.name, '--capacity', '2', ...sandbox.flags];
  await submit(
    market.customer,
    {
      runner: sandbox.runner,
      parallelism: { strategy: 'data_parallel', chunks: 60 },
      resources: { memory_gb: 0.25, expected_minutes: 0.1 },
      verification: { type: 'exact', redundancy: 1 },
    },
    { 'main.py': program, 'data.bin': 'x'.repeat(3_000_000) },
  );
  const work = join(folder, 'state', 'worker', 'w');
  const running = () => (existsSync(join(work, sandbox.runs)) ? readdirSync(join(work, sandbox.runs)) : []);
  const pids: number[] = [];
  let met = 0;
  for (let round = 0; round < rounds; round += 1) {
    const start = command.start(ways, environment);
    pids.push(start.process.pid ?? 0);
    // Half of them from the first moment on, the very first start among them; half while units run.
    if (round % 2 === 1) {
      const works = await soon(
        patienceMs,
        () => (start.text().includes('works for') && running().length > 0) || undefined,
      );
      expect(works, start.text()).toBe(true);
    }
    await sleep(random.below(round % 2 === 1 ? 1500 : 4000));
    expect(start.hasEnded(), start.text()).toBe(false);
    start.process.kill('SIGKILL');
    await start.ended;
    met += (await sandbox.left(pids)).length;
  }
  const last = command.start(ways, environment);
  pids.push(last.process.pid ?? 0);
  expect(await soon(patienceMs, () => last.text().includes('works for') || undefined), last.text()).toBe(true);
  last.process.kill('SIGTERM');
  expect(await last.ended, last.text()).toBe(0);

  const files = await filesBelow(work);
  const staged = files.filter((path) => path.startsWith('sandbox/runtime/'));
  return {
    met,
    left: {
      processes: [...command.left(), ...processesIn(folder)],
      outside: await sandbox.left(pids),
      temporary: await readdir(join(folder, 'tmp')),
      mounts: (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(folder)),
      runs: running(),
      files: files.filter((path) => !staged.includes(path) && !kept.test(path)),
      staging: staged.filter((path) => /\.building-/.test(path)),
    },
  };
}

/** What a worker that has ended may keep. */
const kept =
  /^(?:device\.pem|worker\.json|inputs\/[0-9a-f]{64}|replicas\/[^/]+\/(?:record\.json|[0-9a-f]{64})|sandbox\/audit\/[^/]+)$/;
