import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformanceLimits, runPython } from '@assay/core/conformance';
import { startCell, type Cell } from './cell.ts';
import { classOf } from './cell-class.ts';
import { cgroupMounts, cgroupsBelow } from './cgroup.ts';
import { daemonAt } from './daemon.ts';
import { dockerKit, neededFor, type DockerKit } from './driver.setup.ts';
import { aheadOf } from './order.ts';

const sigKill = 1n << 8n;

/** What the kernel says of a process: whether it is frozen, and whether SIGKILL waits for it. */
function stateOf(pid: number): { readonly runs: boolean; readonly killed: boolean } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const pending = BigInt(`0x${/^ShdPnd:\s*(\S+)/m.exec(status)?.[1] ?? '0'}`);
  return { runs: /^State:\s*R/m.test(status), killed: (pending & sigKill) !== 0n };
}

describe.each(['runc', 'runsc'] as const)('docker on %s', (runtime) => {
  const { skip, why } = neededFor(runtime);
  describe.skipIf(skip)(`lays used containers to rest${why}`, () => {
    let kit: DockerKit;
    beforeAll(async () => {
      kit = await dockerKit({ runtime });
    }, 60_000);
    afterAll(() => kit.close());

    /** The processes of each container. */
    const processes = () => {
      const { v1, v2 = '' } = cgroupMounts();
      const top = `${v1.get('pids') ?? v2}/${kit.cgroupParent}`;
      return cgroupsBelow(kit.cgroupParent).flatMap((unit) =>
        cgroupsBelow(`${kit.cgroupParent}/${unit}`).map((id) =>
          readFileSync(`${top}/${unit}/${id}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number),
        ),
      );
    };

    it('with nothing of the unit in them and nothing that could run, until they are removed', async () => {
      const { outcome } = await runPython(kit, "print('fine')");
      expect(outcome.ending).toEqual({ kind: 'exit', code: 0 });
      const left = processes();
      expect(left.length).toBeGreaterThan(0);
      if (runtime === 'runc') for (const pids of left) expect(pids.length).toBeLessThanOrEqual(1);
      const killed = cgroupMounts().v1.has('freezer');
      for (const pid of left.flat()) expect(stateOf(pid)).toEqual({ runs: false, killed });
      await expect.poll(() => kit.containers(), { timeout: 15_000 }).toEqual([]);
      expect(processes()).toEqual([]);
    }, 30_000);

    /** A container of the kit's, with Python waiting in it. */
    const started = async (): Promise<{ cell: Cell; close: () => void }> => {
      const [input] = await kit.lay({ 'main.py': '' });
      if (!input) throw new Error('one input');
      const daemon = daemonAt(kit.engine.socketPath);
      const image = { runner: kit.runner, image: kit.image, programs: ['python' as const] };
      const unit = { label: 'x', runner: kit.runner, entryPoint: 'main.py', args: [], inputs: [input] };
      const whole = { ...unit, outputDir: 'results', environment: {}, limits: conformanceLimits };
      const wanted = { ...classOf(whole, image, runtime), ahead: aheadOf('python') };
      const cgroupPrefix = `${kit.cgroupParent}/rest-`;
      const cell = await startCell({ daemon, labels: {}, countsSockets: false, cgroupPrefix }, wanted);
      expect(await cell.ready()).toBe(true);
      return { cell, close: () => daemon.close() };
    };

    it.skipIf(runtime === 'runsc')(
      'but not while anything but the collector is in them',
      async () => {
        const { cell, close } = await started();
        expect(await cell.rest()).toBe(false);
        // They are killed instead, though they lie frozen by now.
        cell.strike();
        expect(await cell.gone(5000)).toBe(true);
        await cell.remove();
        close();
      },
      30_000,
    );

    it('from which a crash leaves nothing either', async () => {
      const [input] = await kit.lay({ 'main.py': "print('fine')" });
      const program = `
        import { dockerDriver } from ${JSON.stringify(new URL('driver.ts', import.meta.url).href)};
        const driver = dockerDriver(${JSON.stringify({
          socketPath: kit.engine.socketPath,
          cgroupParent: kit.cgroupParent,
          workDir: `${kit.folder}/runs`,
          images: [{ runner: kit.runner, image: kit.image, programs: ['python'] }],
          isolation: runtime === 'runc' ? 'trusted' : 'default',
        })});
        const unit = ${JSON.stringify({
          label: 'crash',
          runner: kit.runner,
          entryPoint: 'main.py',
          args: [],
          inputs: [input],
          outputDir: 'results',
          environment: {},
          limits: conformanceLimits,
        })};
        const { ending } = await driver.run(unit, () => {}, new AbortController().signal);
        process.stdout.write(ending.kind);
        process.kill(process.pid, 'SIGKILL');
      `;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (text: Buffer) => {
        said += text.toString();
      });
      await new Promise((resolve) => child.once('close', resolve));
      expect(said).toBe('exit');
      expect(await kit.containers()).not.toEqual([]);
      const driver = kit.another({});
      expect(await driver.sweep()).toBeGreaterThanOrEqual(2);
      expect(await driver.sweep()).toBe(0);
      await driver.close();
      expect(await kit.containers()).toEqual([]);
      expect(processes()).toEqual([]);
    }, 60_000);
  });
});
