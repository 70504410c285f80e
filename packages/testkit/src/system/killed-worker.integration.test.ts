import { randomInt } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prngOf } from '../simulation/prng.ts';
import { commandProcess, soon, type CommandProcess } from './command-process.setup.ts';
import { processesIn } from './process-tree.setup.ts';
import { openWholeMarket, submit, type WholeMarket } from './whole-market.setup.ts';

const onLinux = process.platform === 'linux';
const seed = Number(process.env['ASSAY_SEED'] ?? randomInt(1_000_000));
const random = prngOf(seed);
const rounds = 6;

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

test.skipIf(!onLinux)(
  `a worker that is killed at any moment leaves nothing after its next start (seed ${seed}; needs /proc of Linux)`,
  { timeout: 240_000 },
  async () => {
    const keyFile = join(folder, 'key');
    await writeFile(keyFile, await market.provider('dora'));
    const environment = { ASSAY_URL: market.url, ASSAY_API_KEY: (await readFile(keyFile, 'utf8')).trim() };
    const ways = ['worker', '--name', 'w', '--sandbox', 'wasm', '--capacity', '2'];
    await submit(
      market.customer,
      {
        parallelism: { strategy: 'data_parallel', chunks: 60 },
        resources: { memory_gb: 0.25, expected_minutes: 0.1 },
        verification: { type: 'exact', redundancy: 1 },
      },
      { 'main.py': program, 'data.bin': 'x'.repeat(3_000_000) },
    );

    const work = join(folder, 'state', 'worker', 'w');
    let met = 0;
    for (let round = 0; round < rounds; round += 1) {
      const start = command.start(ways, environment);
      // The first start stages the interpreter; later ones are killed from their first moment on.
      if (round === 0) await soon(60_000, () => (start.text().includes('works for') ? true : undefined));
      await sleep(random.below(5000));
      expect(start.hasEnded(), start.text()).toBe(false);
      start.process.kill('SIGKILL');
      await start.ended;
      const runs = await readdir(join(work, 'sandbox', 'runs')).catch(() => []);
      if (runs.length > 0) met += 1;
    }
    expect(met, 'rounds that were killed while a unit ran').toBeGreaterThan(0);

    const last = command.start(ways, environment);
    expect(await soon(60_000, () => (last.text().includes('works for') ? true : undefined)), last.text()).toBe(true);
    last.process.kill('SIGTERM');
    expect(await last.ended, last.text()).toBe(0);

    expect(command.left()).toEqual([]);
    expect(processesIn(folder)).toEqual([]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    expect((await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(folder))).toEqual([]);
    expect(await readdir(join(work, 'sandbox', 'runs'))).toEqual([]);
    const kept = (await filesBelow(work)).filter((path) => !path.startsWith('sandbox/runtime/'));
    const expected =
      /^(?:device\.pem|worker\.json|inputs\/[0-9a-f]{64}|replicas\/[^/]+\/(?:record\.json|[0-9a-f]{64})|sandbox\/audit\/[^/]+)$/;
    expect(kept.filter((path) => !expected.test(path))).toEqual([]);
    // What a start stages anew is nothing that a kill left.
    expect(
      (await filesBelow(join(work, 'sandbox', 'runtime'))).filter((path) => /partial|staging|\.tmp/.test(path)),
    ).toEqual([]);
  },
);
