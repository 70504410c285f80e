import { expect, it } from 'vitest';
import type { DriverReport, SandboxDriver } from '@assay/core';
import { sandboxHealth } from './sandbox-health.ts';

const usable = (digest: string): DriverReport => ({
  driver: 'docker',
  usable: true,
  detail: '',
  runners: [{ runner: 'platform-runner:r', digest }],
});
const down: DriverReport = { driver: 'docker', usable: false, detail: 'no engine answers', runners: [] };

function scene() {
  const world = { nowMs: 1_000_000, probes: 0, report: usable('one'), announced: [] as string[] };
  const driver: SandboxDriver = {
    name: 'docker',
    async probe() {
      world.probes += 1;
      return world.report;
    },
    run: () => Promise.reject(new Error('not here')),
    sweep: async () => 0,
    close: async () => {},
  };
  const announce = async (report: DriverReport) => {
    world.announced.push(report.runners.map(({ digest }) => digest).join());
  };
  const health = sandboxHealth({ driver, clock: { nowMs: () => world.nowMs }, announce }, world.report);
  return { world, health };
}

it('looks at nothing while nobody doubts', async () => {
  const { world, health } = scene();
  await health.look();
  expect([health.fault(), world.probes]).toEqual([null, 0]);
});

it('stays at fault until a probe succeeds, with longer and longer pauses between', async () => {
  const { world, health } = scene();
  world.report = down;
  health.doubt('sandbox.fault: broken pipe');
  expect(health.fault()).toBe('sandbox.fault: broken pipe');
  const probedAt: number[] = [];
  for (let second = 0; second < 1500; second += 1) {
    const before = world.probes;
    await health.look();
    if (world.probes > before) probedAt.push(second);
    world.nowMs += 1000;
  }
  expect(health.fault()).toBe('no engine answers');
  expect(probedAt).toEqual([0, 10, 30, 70, 150, 310, 610, 910, 1210]);
  world.report = usable('one');
  world.nowMs += 300_000;
  await health.look();
  expect([health.fault(), world.announced]).toEqual([null, []]);
});

it('tells the market what the machine offers now before it works again', async () => {
  const { world, health } = scene();
  world.report = usable('two');
  health.doubt('sandbox.fault: no such image');
  await health.look();
  expect([health.fault(), world.announced]).toEqual([null, ['two']]);
});

it('does not try again at once where a sound probe is followed by the same fault', async () => {
  const { world, health } = scene();
  health.doubt('sandbox.fault');
  await health.look();
  expect(health.fault()).toBeNull();
  world.nowMs += 1000;
  health.doubt('sandbox.fault');
  await health.look();
  expect([health.fault(), world.probes]).toEqual(['sandbox.fault', 1]);
  world.nowMs += 9000;
  await health.look();
  expect([health.fault(), world.probes]).toEqual([null, 2]);
});
