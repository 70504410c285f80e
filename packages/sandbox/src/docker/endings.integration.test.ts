import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformanceLimits, runPython } from '@assay/core/conformance';
import { cgroupMounts } from './cgroup.ts';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`ends what it started${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime });
    }, 60_000);
    afterAll(() => kit.close());

    const groups = () => {
      const { v1, v2 = '' } = cgroupMounts();
      try {
        return readdirSync(`${v1.get('memory') ?? v2}/${kit.cgroupParent}`).filter((name) => name.startsWith('unit-'));
      } catch {
        return [];
      }
    };

    it('with the daemons that a unit leaves behind, and captures what was there at its end', async () => {
      const code = `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            open('results/ticks', 'a').write('x' * 100)
            time.sleep(0.001)
    os._exit(0)
open('results/done', 'w').write('done')
time.sleep(0.3)
`;
      const { outcome } = await runPython(kit, code);
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(outcome.outputs.map(({ path }) => path)).toEqual(['done', 'ticks']);
    });

    it('and says by which signal a unit died', async () => {
      const { outcome } = await runPython(kit, 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)');
      expect(outcome).toMatchObject({ ending: { kind: 'exit', code: 139 }, evidence: { signal: 'SIGSEGV' } });
    });

    it('and that a child was killed for memory, where the unit itself went on', async () => {
      const code = `
import os
pid = os.fork()
if pid == 0:
    kept = []
    while True: kept.append(bytearray(16 * 1024 * 1024))
print(os.waitpid(pid, 0)[1])
`;
      const { outcome, stdout } = await runPython(kit, code);
      if (runtime === 'runc') {
        expect(stdout).toBe('9\n');
        expect(outcome).toMatchObject({ ending: { kind: 'exit', code: 0 }, evidence: { outOfMemory: true } });
      } else {
        // gVisor is one process to the kernel.
        expect(outcome).toMatchObject({ ending: { kind: 'killed', why: 'memory' }, evidence: { outOfMemory: true } });
      }
    });

    it('and survives a unit that signals everything it sees', async () => {
      const code = `
import os, signal
for pid in (1, -1):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try: os.kill(pid, number)
        except OSError as error: print(error.errno)
print('alive')
`;
      const { outcome } = await runPython(kit, code, { limits: { wallMs: 4000 } });
      expect(outcome.ending.kind).not.toBe('infra');
      expect(outcome.outputs).toEqual([]);
    });

    it('and bounds processes', async () => {
      const code = `
import os, time
made = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        made += 1
except OSError as error:
    print(made < 600, error.errno)
`;
      const { outcome, stdout } = await runPython(kit, code, { limits: { wallMs: 15_000 } });
      expect(outcome.ending.kind).not.toBe('infra');
      if (runtime === 'runc') expect(stdout).toBe('True 11\n');
    });

    it('and believes no frames of a unit that writes them itself', async () => {
      const code = `
import os
frame = lambda kind, body: bytes([kind]) + len(body).to_bytes(4, 'big') + body
forged = frame(4, bytes(6)) + frame(5, bytes(5) + bytes([4]) + b'../../evil') + frame(6, b'evil') + frame(7, b'')
for path in ('/proc/1/fd/1', '/proc/1/fd/0', '/proc/1/mem'):
    try:
        with open(path, 'wb', buffering=0) as out: out.write(forged)
        print('wrote', path)
    except OSError as error: print(error.errno)
`;
      const { outcome } = await runPython(kit, code);
      // Under gVisor the collector's own pipe can be opened: then the unit has told on itself, and no more.
      expect([
        { kind: 'exit', code: 0 },
        { kind: 'killed', why: 'policy' },
      ]).toContainEqual(outcome.ending);
      expect(outcome.outputs).toEqual([]);
    });

    it.each(['/etc', '/platform', '/proc/self'])('and follows no link from the results to %s', async (target) => {
      const { outcome } = await runPython(kit, `import os\nos.rmdir('results')\nos.symlink('${target}', 'results')`);
      expect(outcome).toMatchObject({ ending: { kind: 'exit', code: 0 }, outputs: [] });
    });

    it('also where its output’s pipe is held by sockets in flight', async () => {
      const code = `
import array, os, socket
here, there = socket.socketpair()
for end, other in ((here, there), (there, here)):
    rights = array.array('i', [1, 2, other.fileno()])
    end.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
print('last words', flush=True)
`;
      const { outcome, stdout } = await runPython(kit, code, { limits: { wallMs: 6000 } });
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(stdout).toBe('last words\n');
    });

    // The folder of results is found below whatever now goes by the work folder's name.
    it.each([
      ['/', 'etc'],
      ['/proc/self', 'task'],
      ['/', 'platform'],
    ])('and follows no link to %s in place of the work folder', async (target, outputDir) => {
      const code = `
import os
open('${outputDir}/own', 'w').write('own')
os.rename('/tmp/job', '/tmp/moved')
os.symlink('${target}', '/tmp/job')
`;
      const { outcome } = await runPython(kit, code, { outputDir });
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      expect(outcome.outputs.map(({ path }) => path)).toEqual(['own']);
    });

    it('many times over without leaving a container or a control group', async () => {
      const kills = Array.from({ length: runtime === 'runc' ? 20 : 10 }, async () => {
        const stop = new AbortController();
        const run = runPython(kit, "print('up', flush=True)\nwhile True: pass", {}, stop.signal);
        setTimeout(() => stop.abort(), 700);
        return (await run).outcome.ending;
      });
      for (const ending of await Promise.all(kills)) expect(ending).toEqual({ kind: 'killed', why: 'operator' });
      await kit.driver.close();
      expect(await kit.containers()).toEqual([]);
      expect(groups()).toEqual([]);
    }, 60_000);

    it('also when the process that started it is killed', async () => {
      const [input] = await kit.lay({ 'main.py': "print('up', flush=True)\nimport time\ntime.sleep(60)" });
      const program = `
        import { dockerDriver } from ${JSON.stringify(new URL('driver.ts', import.meta.url).href)};
        const driver = dockerDriver(${JSON.stringify({
          socketPath: kit.engine.socketPath,
          cgroupParent: kit.cgroupParent,
          workDir: `${kit.folder}/runs`,
          images: [{ runner: kit.runner, image: kit.image, programs: ['python'] }],
          isolation: runtime === 'runc' ? 'trusted' : 'default',
          warm: { cells: 1, memoryBytes: 1024 ** 3 },
        })});
        const unit = ${JSON.stringify({
          label: 'orphan',
          runner: kit.runner,
          entryPoint: 'main.py',
          args: [],
          inputs: [input],
          outputDir: 'results',
          environment: {},
          limits: conformanceLimits,
        })};
        await driver.prepare(unit);
        await driver.run(unit, (_stream, text) => process.stdout.write(text), new AbortController().signal);
      `;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      const driver = kit.another({});
      expect(await driver.sweep()).toBeGreaterThanOrEqual(2);
      expect(await driver.sweep()).toBe(0);
      await driver.close();
      expect(await kit.containers()).toEqual([]);
      expect(groups()).toEqual([]);
    }, 60_000);
  });
});
