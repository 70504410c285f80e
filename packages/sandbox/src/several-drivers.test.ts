import { describe, expect, it } from 'vitest';
import type { DriverReport, RunnerReport, SandboxDriver, SandboxUnit } from '@assay/core';
import { severalDrivers } from './several-drivers.ts';

const python = 'platform-runner:python-3.14';
const r = 'platform-runner:r';
const never = new AbortController().signal;
const unitOf = (runner: string): SandboxUnit => ({
  label: 'one',
  runner,
  entryPoint: 'main',
  args: [],
  inputs: [],
  outputDir: 'results',
  environment: {},
  limits: { wallMs: 1, memoryBytes: 1, scratchBytes: 1, outputFiles: 1, outputBytes: 1, logBytes: 1 },
});

interface Fake extends SandboxDriver {
  readonly name: 'wasm' | 'docker';
  state: { runners: readonly RunnerReport[]; down?: string };
  readonly calls: string[];
}

function fake(name: 'wasm' | 'docker', runners: readonly RunnerReport[]): Fake {
  const calls: string[] = [];
  const driver: Fake = {
    name,
    state: { runners },
    calls,
    async probe(): Promise<DriverReport> {
      if (driver.state.down !== undefined) throw new Error(driver.state.down);
      return { driver: name, usable: true, detail: `${name} detail`, runners: driver.state.runners };
    },
    async run(unit) {
      calls.push(`run ${unit.runner}`);
      return {
        ending: { kind: 'exit', code: 0 },
        usage: { wallMs: 0, cpuMs: 0, peakBytes: 0 },
        evidence: {},
        outputs: [],
        outputRoot: '',
        release: async () => {},
      };
    },
    async sweep() {
      calls.push('sweep');
      return 2;
    },
    async close() {
      calls.push('close');
    },
  };
  return driver;
}

const wasm = () =>
  fake('wasm', [
    { runner: python, digest: 'w-python' },
    { runner: r, digest: 'w-r' },
  ]);
const docker = () => fake('docker', [{ runner: r, digest: 'd-r', egress: true }]);

describe('severalDrivers', () => {
  it('gives a runner that two offer to the preferred driver, in the report and in runs', async () => {
    for (const [preferred, digest] of [
      ['docker', 'd-r'],
      ['wasm', 'w-r'],
    ] as const) {
      const [one, two] = preferred === 'docker' ? [docker(), wasm()] : [wasm(), docker()];
      const driver = severalDrivers([one, two]);
      const report = await driver.probe();
      expect(report).toMatchObject({ driver: 'several', usable: true });
      expect(report.runners.filter(({ runner }) => runner === r)).toEqual([
        { runner: r, digest, driver: preferred, ...(preferred === 'docker' && { egress: true }) },
      ]);
      expect(report.runners).toContainEqual({ runner: python, digest: 'w-python', driver: 'wasm' });
      await driver.run(unitOf(r), () => {}, never);
      expect(one.calls).toEqual([`run ${r}`]);
      expect(two.calls).toEqual([]);
    }
  });

  it('looks before its first run, and refuses a runner that nobody has', async () => {
    const [one, two] = [docker(), wasm()];
    const driver = severalDrivers([one, two]);
    await driver.run(unitOf(python), () => {}, never);
    expect(two.calls).toEqual([`run ${python}`]);
    await expect(driver.run(unitOf('platform-runner:other'), () => {}, never)).rejects.toMatchObject({
      code: 'sandbox.refused',
    });
  });

  it('says why a driver is not usable and works with the others', async () => {
    const [one, two] = [docker(), wasm()];
    one.state.down = 'no engine answers';
    const driver = severalDrivers([one, two]);
    const report = await driver.probe();
    expect(report.usable).toBe(true);
    expect(report.detail).toBe('docker is not usable: no engine answers; wasm: wasm detail');
    expect(report.runners.map(({ digest }) => digest)).toEqual(['w-python', 'w-r']);
    expect(await driver.sweep()).toBe(2);
    expect(one.calls).toEqual([]);
    two.state.down = 'no Node';
    expect(await driver.probe()).toMatchObject({ usable: false, runners: [] });
  });

  it('moves a runner to another driver only by a new probe', async () => {
    const [one, two] = [docker(), wasm()];
    const driver = severalDrivers([one, two]);
    await driver.probe();
    one.state.down = 'the engine died';
    await driver.run(unitOf(r), () => {}, never);
    expect(two.calls).toEqual([]);
    await driver.probe();
    await driver.run(unitOf(r), () => {}, never);
    expect(two.calls).toEqual([`run ${r}`]);
  });

  it('sweeps and closes all', async () => {
    const [one, two] = [docker(), wasm()];
    const driver = severalDrivers([one, two]);
    expect(await driver.sweep()).toBe(4);
    await driver.close();
    expect([...one.calls, ...two.calls]).toEqual(['sweep', 'close', 'sweep', 'close']);
  });
});
