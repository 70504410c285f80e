import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { servicePlan, type ServicePlan } from '@assay/worker';
import { install, isInstalled, planText, uninstall, type Execute } from './service-manager.ts';

let home: string;
let said: string[];
let complaints: Record<string, string>;
const run: Execute = (command) => {
  said.push(command.join(' '));
  return complaints[command.join(' ')];
};
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-home-'));
  said = [];
  complaints = {};
});
afterEach(() => rm(home, { recursive: true, force: true }));

function planFor(platform: NodeJS.Platform, cpuShare = 1): ServicePlan {
  const spec = {
    name: 'desk',
    node: '/opt/node',
    program: '/opt/assay/main.ts',
    checkout: '/opt/assay',
    stateDir: join(home, 'state'),
    folder: join(home, 'state', 'worker', 'desk'),
    docker: false,
    settings: { cpu_share: cpuShare, memory_share: 0.8 },
    cores: 2,
    memoryBytes: 4e9,
  };
  const plan = servicePlan(spec, { platform, uid: 501, home, userId: 'DESK\\dora' });
  if (!plan) throw new Error(`no plan for ${platform}`);
  return plan;
}

const id = 'assay-worker-desk.service';

describe('a service', () => {
  test('is laid down and started, and twice is the same as once', async () => {
    const plan = planFor('linux');
    expect(await install(plan, true, run)).toBe(true);
    expect(await readFile(plan.path, 'utf8')).toBe(plan.content);
    expect((await stat(plan.path)).mode & 0o777).toBe(0o644);
    expect(said).toEqual(['systemctl --user daemon-reload', `systemctl --user enable --now ${id}`]);
    said = [];
    expect(await install(plan, false, run)).toBe(false);
    expect(said).toEqual([`systemctl --user enable --now ${id}`]);
  });

  test('starts anew where its file or its settings have changed', async () => {
    await install(planFor('linux'), true, run);
    said = [];
    expect(await install(planFor('linux'), true, run)).toBe(true);
    expect(said).toEqual([`systemctl --user disable --now ${id}`, `systemctl --user enable --now ${id}`]);
    said = [];
    expect(await install(planFor('linux', 0.5), false, run)).toBe(true);
    expect(said).toEqual([
      `systemctl --user disable --now ${id}`,
      'systemctl --user daemon-reload',
      `systemctl --user enable --now ${id}`,
    ]);
  });

  test('is gone after it was removed, whatever the manager says of stopping it', async () => {
    const plan = planFor('linux');
    expect(await uninstall(plan, run)).toBe(false);
    await install(plan, true, run);
    said = [];
    complaints[`systemctl --user disable --now ${id}`] = 'not loaded';
    expect(await uninstall(plan, run)).toBe(true);
    expect(await isInstalled(plan)).toBe(false);
    expect(said).toEqual([`systemctl --user disable --now ${id}`, 'systemctl --user daemon-reload']);
  });

  test('that cannot be started is a fault with the manager’s words', async () => {
    complaints[`systemctl --user enable --now ${id}`] = 'Unit is masked.';
    await expect(install(planFor('linux'), true, run)).rejects.toMatchObject({
      code: 'worker.service_failed',
      message: `systemctl --user enable --now ${id}: Unit is masked.`,
    });
  });

  test('that runs already under launchd is no fault', async () => {
    const plan = planFor('darwin');
    await install(plan, true, run);
    complaints[plan.ensure[0]!.join(' ')] = 'Bootstrap failed: 5: Input/output error';
    expect(await install(plan, false, run)).toBe(false);
    await writeFile(plan.path, 'another');
    await expect(install(plan, false, run)).rejects.toMatchObject({ code: 'worker.service_failed' });
  });

  test('is shown with the commands that would install it', () => {
    const text = planText(planFor('linux'));
    expect(text).toContain('ExecStart=/opt/node /opt/assay/main.ts worker --name desk');
    expect(text.split('\n').slice(-2)).toEqual([
      '# systemctl --user daemon-reload',
      `# systemctl --user enable --now ${id}`,
    ]);
  });

  test('has no plan where no manager is known', () => {
    expect(() => planFor('freebsd')).toThrow('no plan for freebsd');
  });
});
