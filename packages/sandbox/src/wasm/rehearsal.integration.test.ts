import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { conformanceLimits, runPython } from '@assay/core/conformance';
import { driverKit, type DriverKit } from './driver.setup.ts';
import { wasmDriver } from './driver.ts';
import { exchangedGuest, type ExchangedGuest } from './exchanged-guest.setup.ts';
import { languages } from './languages.ts';

/** All that a unit could know a used interpreter by: places in memory, counters, caches, files with their numbers. */
const selfReport = `
import gc, hashlib, linecache, os, random, re, sys, time
print('places', [id(thing) for thing in (object(), [], {}, sys, 'a' * 300)])
print('modules', list(sys.modules), sorted(sys.path_importer_cache))
print('collector', gc.get_count(), len(gc.get_objects()), gc.get_stats())
print('caches', len(re._cache), sorted(linecache.cache), sys.getsizeof(sys.modules))
print('random', hashlib.sha256(repr(random.getstate()).encode()).hexdigest(), os.urandom(8).hex(), hash('a'))
print('clocks', time.time(), time.monotonic(), time.perf_counter(), time.process_time())
print('surroundings', os.environ, sys.path, sys.argv, sys.orig_argv, os.getcwd(), os.statvfs('/'))
print('descriptor', os.open('/dev/null', 0), [os.fstat(n) for n in range(3)])
for top, folders, files in os.walk('/'):
    folders.sort()
    print(top, os.lstat(top))
    for name in sorted(files):
        print(name, os.lstat(os.path.join(top, name)))
`;
const pins = { randomSeed: 11, epochMs: Date.UTC(2026, 0, 2) };

let kit: DriverKit;
let unrehearsed: ExchangedGuest;
beforeAll(async () => {
  kit = await driverKit();
  const python = languages.find(({ name }) => name === 'python')!;
  unrehearsed = await exchangedGuest(kit, python, [['python/main.mjs', 'rehearse(python, image);', '']]);
}, 60_000);
afterAll(async () => {
  await unrehearsed.close();
  await kit.close();
});

it('leaves a unit no trace of itself: it finds the same as in an interpreter that nothing ran in', async () => {
  const bare = await runPython({ ...kit, driver: unrehearsed.driver }, selfReport, pins);
  expect(bare.stdout.split('\n').length).toBeGreaterThan(20);
  const cold = await runPython(kit, selfReport, pins);
  expect(cold.stdout).toBe(bare.stdout);
}, 60_000);

it('makes no difference between a process that waited and one that was started for the unit', async () => {
  const warm = { cells: 1, memoryBytes: 1024 ** 3 };
  const driver = wasmDriver({ cacheDir: kit.cacheDir, workDir: kit.workDir, warm });
  try {
    const cold = await runPython(kit, selfReport, pins);
    const inputs = await kit.lay({ 'main.py': '' });
    const { runner } = kit;
    const like = {
      label: 'like',
      runner,
      entryPoint: 'main.py',
      args: [],
      inputs,
      outputDir: 'results',
      environment: {},
    };
    await driver.prepare({ ...like, limits: conformanceLimits });
    expect((await readdir(kit.workDir)).filter((name) => name.startsWith('idle-'))).toHaveLength(1);
    const waited = await runPython({ ...kit, driver }, selfReport, pins);
    expect(waited.stdout).toBe(cold.stdout);
  } finally {
    await driver.close();
  }
}, 60_000);
