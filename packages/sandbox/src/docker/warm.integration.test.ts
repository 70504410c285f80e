import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython, sandboxConformance, type SandboxHarness, type UnitChanges } from '@assay/core/conformance';
import { askEngine } from './engine/api.ts';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';

/** The same kit, where a container waits for every unit that is admitted. */
function prepared(kit: DockerKit): SandboxHarness {
  const { driver } = kit;
  return {
    ...kit,
    driver: {
      ...driver,
      async run(unit, log, stop) {
        // What cannot be prepared is refused alike when it is run.
        await driver.prepare(unit).catch(() => undefined);
        return driver.run(unit, log, stop);
      },
    },
  };
}

const warm = { cells: 1, memoryBytes: 4 * 1024 ** 3 };

describe('docker on runc', () => {
  const { skip, why } = neededFor('runc');
  describe.skipIf(skip)(`holds the port with containers that wait${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime: 'runc', warm });
    }, 60_000);
    afterAll(() => kit.close());

    sandboxConformance('docker on runc, warm', () => prepared(kit));
  });
});

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`gives the same from a container that waits${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime, warm });
    }, 60_000);
    afterAll(() => kit.close());

    /** What the unit says in a new container and in one that waited. */
    const both = async (code: string | Record<string, string>, changes: UnitChanges = {}) => {
      const cold = kit.another({ warm: { cells: 0, memoryBytes: 0 } });
      const inputs = await kit.lay(typeof code === 'string' ? { 'main.py': code } : code);
      const from = async (harness: SandboxHarness) => {
        const { outcome, stdout, stderr } = await runPython(harness, '', { ...changes, inputs });
        const outputs = outcome.outputs.map(({ path, sha256 }) => [path, sha256]);
        await outcome.release();
        return { ending: outcome.ending, stdout, stderr, outputs };
      };
      try {
        return { cold: await from({ ...kit, driver: cold }), warm: await from(prepared(kit)) };
      } finally {
        await cold.close();
      }
    };

    it('seeded, with a pinned clock', async () => {
      const code = `
import hashlib, os, random, secrets, tempfile, time, uuid
import datetime
import numpy
from datetime import datetime as moment
print(hash('x'), {'a', 'b', 'c', 'd'})
print(random.random(), random.Random().random(), random.SystemRandom().random(), secrets.token_hex(4))
print(os.urandom(3), uuid.uuid4(), numpy.random.rand(), numpy.random.default_rng().normal())
print(moment.now(), datetime.date.today(), datetime.datetime.now(datetime.timezone.utc).isoformat(), time.strftime('%Y'))
print(isinstance(moment(2020, 1, 1), datetime.datetime), isinstance(moment.now(), datetime.date))
`;
      const { cold, warm: waited } = await both(code, { randomSeed: 12, epochMs: Date.UTC(2026, 0, 1) });
      expect(cold.stderr).toBe('');
      expect(waited).toEqual(cold);
      expect(cold.stdout).toContain('2026-01-01 00:00:00.');
      expect(cold.stdout).toContain('True True');
    });

    it.each([
      ['a code', 'import sys; sys.exit(300)', 44],
      ['a message', "raise SystemExit('why not')", 1],
      ['an exception', 'def f(): raise ValueError("odd")\nf()', 1],
      [
        'a thread that goes on',
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()",
        0,
      ],
      ['a last wish', "import atexit\natexit.register(print, 'bye')", 0],
      ['an open file', "kept = open('results/x', 'w')\nkept.write('unwritten until the end')", 0],
      [
        'an open file in a module of its own',
        "import helper\nhelper.file.write('unwritten')\nimport csv\ncsv.kept = open('results/y', 'w')\ncsv.kept.write('y')",
        0,
      ],
      ['a code beyond every bound', 'import sys; sys.exit(2**100)', 255],
      ['a code below zero', 'import sys; sys.exit(-2**31 - 3)', 253],
      [
        'finalizers',
        "import builtins, sys\nclass Last:\n  def __del__(self): print(sys.path, hasattr(builtins, 'open'))\nsys.modules['q'] = Last()\nlast = Last()",
        0,
      ],
      ['a hook', "import sys\nsys.excepthook = lambda *why: print('hooked', why[0].__name__)\n1 / 0", 1],
      ['a child', "import subprocess\nprint(subprocess.run(['/bin/echo', 'hi'], capture_output=True).stdout)", 0],
      [
        'worker processes',
        'import concurrent.futures as c\nwith c.ThreadPoolExecutor(2) as p: print(list(p.map(str, range(3))))',
        0,
      ],
      ['nothing on stdin', 'import sys; print(repr(sys.stdin.read()))', 0],
    ])('ending with %s', async (_what, code, exitCode) => {
      const helper = { 'helper.py': "file = open('results/log', 'w')" };
      const { cold, warm: waited } = await both({ 'main.py': code, ...helper });
      expect(cold.ending).toEqual({ kind: 'exit', code: exitCode });
      expect(waited).toEqual(cold);
    });

    const first = runtime === 'runc' ? { ahead: 16, fresh: 18 } : { ahead: 2, fresh: 3 };
    const pinned = { epochMs: Date.UTC(2026, 0, 1) };
    it.each<[string, Record<string, string>, UnitChanges, string]>([
      [
        'a module that goes by the name of one that is there',
        { 'main.py': "import csv, os\nprint(csv.own, os.environ['ASSAY_X'])", 'csv.py': "own = 'own'" },
        { environment: { ASSAY_X: 'x' } },
        'own x\n',
      ],
      [
        'modules that it makes while it runs, in a folder of its own choice',
        {
          'main.py': `
import os, sys
os.mkdir('late')
for name in ('csv', 'statistics', 'msvcrt'): open(f'late/{name}.py', 'w').write(f'own = {name!r}')
sys.path.insert(0, 'late')
import csv, statistics, subprocess
print([hasattr(each, 'own') for each in (csv, statistics)], sorted(sys.modules))
`,
        },
        {},
        '',
      ],
      [
        'the number of its process, and a seed',
        { 'main.py': "import os\nprint(os.getpid(), open('/proc/1/cmdline').read())" },
        { randomSeed: 3 },
        `${first.fresh} /platform/shim`,
      ],
      [
        'the number of its process',
        { 'main.py': "import os\nprint(os.getpid(), open('/proc/1/cmdline').read())" },
        {},
        `${first.ahead} /platform/shim`,
      ],
      [
        'functions of the pinned clock in a class',
        {
          'main.py': `
import logging, sys, time
class Own: now = time.time
print(Own().now() > 0, time.time.__name__)
logging.basicConfig(stream=sys.stdout, format='%(asctime)s %(relativeCreated)d %(message)s')
logging.warning('said')
`,
        },
        pinned,
        'True time\n2026-01-01 00:00:00,',
      ],
      [
        'a module that the interpreter looks for on another system',
        { 'main.py': 'import subprocess, sys\nprint(subprocess._mswindows)', 'msvcrt.py': '', '_winapi.py': '' },
        {},
        '',
      ],
      [
        'a seed of zero',
        { 'main.py': 'import os, numpy\nprint(os.urandom(4), numpy.random.default_rng().random())' },
        { ...pinned, randomSeed: 0 },
        '',
      ],
      [
        'another time zone',
        { 'main.py': 'import time\nprint(time.localtime(0).tm_hour)' },
        { environment: { TZ: 'Asia/Tokyo' } },
        '9\n',
      ],
      [
        'waiting by a pinned clock',
        {
          'main.py':
            'import threading\ndone = threading.Condition()\nwith done: print(done.wait_for(lambda: False, 0.01))\nprint(threading._time())',
        },
        pinned,
        'False\n',
      ],
    ])('with %s', async (_what, files, changes, said) => {
      const { cold, warm: waited } = await both(files, changes);
      expect(cold).toMatchObject({ ending: { kind: 'exit', code: 0 }, stderr: '' });
      expect(cold.stdout.startsWith(said)).toBe(true);
      expect(waited).toEqual(cold);
    });

    it('by a shell that writes its environment down', async () => {
      const inputs = await kit.lay({ 'main.sh': 'env > results/env; cat /proc/self/environ > results/raw' });
      const runs = [kit, kit, prepared(kit), prepared(kit)].map(async (harness) => {
        const { outcome } = await runPython(harness, '', { inputs, entryPoint: 'main.sh' });
        await outcome.release();
        return outcome.outputs.map(({ sha256 }) => sha256);
      });
      const found = await Promise.all(runs);
      expect(found[0]).toHaveLength(2);
      expect(new Set(found.map(String)).size).toBe(1);
    });

    it('and never twice from the same', async () => {
      const harness = prepared(kit);
      const code =
        "import os\nprint(os.path.exists('/tmp/mark'), sorted(os.listdir('/tmp')), os.listdir('.'))\nopen('/tmp/mark', 'w')";
      for (let run = 0; run < 2; run += 1) {
        const { stdout } = await runPython(harness, code);
        expect(stdout.split(' ')[0]).toBe('False');
      }
    });

    it('also where the waiting one died', async () => {
      const [input] = await kit.lay({ 'main.py': "print('fine')" });
      if (!input) throw new Error('one input');
      await runPython(prepared(kit), "print('fine')");
      for (const id of await kit.containers()) {
        await askEngine(kit.engine.socketPath, 'DELETE', `/containers/${id}?force=1`);
      }
      const { stdout } = await runPython(kit, "print('fine')");
      expect(stdout).toBe('fine\n');
    });
  });
});
