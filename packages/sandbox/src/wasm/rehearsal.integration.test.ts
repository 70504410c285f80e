import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { conformanceLimits, pythonPrograms, rPrograms, runPython } from '@assay/core/conformance';
import { driverKit } from './driver.setup.ts';
import { wasmDriver } from './driver.ts';
import { pythonRunner, rRunner } from './languages.ts';

/** All that a unit could know a used interpreter by: places in memory, counters, caches, clocks, files and their numbers. */
const python = `
import gc, hashlib, linecache, os, random, re, sys, time
print('places', [id(thing) for thing in (object(), [], {}, sys, 'a' * 300)])
print('modules', list(sys.modules), sorted(sys.path_importer_cache))
print('collector', gc.get_count(), len(gc.get_objects()), gc.get_stats())
print('caches', len(re._cache), sorted(linecache.cache), sys.getsizeof(sys.modules))
print('random', hashlib.sha256(repr(random.getstate()).encode()).hexdigest(), os.urandom(8).hex(), hash('a'))
print('clocks', time.time(), time.monotonic(), time.perf_counter(), time.process_time())
print('surroundings', os.environ, sys.path, sys.argv, sys.orig_argv, sys.executable, os.getcwd(), os.statvfs('/'))
print('descriptor', os.open('/dev/null', 0), [os.fstat(n) for n in range(3)])
for top, folders, files in os.walk('/'):
    folders.sort()
    if top.startswith('/proc'): continue
    print(top, os.lstat(top))
    for name in sorted(files):
        print(name, os.lstat(os.path.join(top, name)))
print('all')
`;
const r = `
print(list(new.env(), environment(lm), environment(solve)))
print(list(search(), loadedNamespaces(), ls(globalenv(), all.names = TRUE), options(), warnings()))
print(list(RNGkind(), .Random.seed[1:3], runif(3)))
print(list(gc(), Sys.time(), proc.time(), Sys.getpid(), Sys.getenv(), tempfile(), getwd()))
print(showConnections(all = TRUE))
seen <- sort(list.files('/', all.files = TRUE, recursive = TRUE, include.dirs = TRUE, full.names = TRUE))
print(length(seen))
info <- file.info(seen)
print(sum(as.numeric(info$mtime)), digits = 20)
print(info[!startsWith(seen, '//usr/lib'), ])
print(as.numeric(file.info(c('/', '/tmp', '/job', '/dev'))$mtime), digits = 20)
print('all')
`;
const pins = { randomSeed: 11, epochMs: Date.UTC(2026, 0, 2) };

it.each([
  ['Python', pythonRunner, python, pythonPrograms],
  ['R', rRunner, r, rPrograms],
] as const)(
  'leaves a unit in %s no trace: it finds what it finds in a process where nothing ran before it',
  async (_language, runner, selfReport, programs) => {
    const kit = await driverKit(runner);
    const driver = wasmDriver({ ...kit, warm: { cells: 1, memoryBytes: 1024 ** 3 } });
    try {
      const cold = await runPython(kit, selfReport, pins, undefined, programs);
      expect(cold.stdout).toContain('all');
      expect(cold).toMatchObject({ stderr: '', outcome: { ending: { kind: 'exit', code: 0 } } });
      const { entryPoint } = programs;
      const inputs = await kit.lay({ [entryPoint]: '' });
      const like = { label: 'like', runner, entryPoint, args: [], inputs, outputDir: 'results', environment: {} };
      await driver.prepare({ ...like, limits: conformanceLimits });
      expect((await readdir(kit.workDir)).filter((name) => name.startsWith('idle-'))).toHaveLength(1);
      const waited = await runPython({ ...kit, driver }, selfReport, pins, undefined, programs);
      expect(waited.stdout).toBe(cold.stdout);
    } finally {
      await driver.close();
      await kit.close();
    }
  },
  60_000,
);
