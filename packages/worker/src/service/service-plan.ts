/** Which manager of services this machine has, and what it must be told. */

import { existsSync, readFileSync } from 'node:fs';
import { launchdPlan } from './launchd.ts';
import { type ServicePlan, type ServiceSpec } from './service.ts';
import { systemdPlan } from './systemd.ts';
import { windowsPlan } from './windows-task.ts';

/** The user of a service of the whole machine. */
export const serviceUser = 'assay-worker';

/** Who installs, and where. */
export interface Installer {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly home: string;
  /** `DOMAIN\user` on Windows. */
  readonly userId: string;
}

/** The plan for this platform; undefined where it has no manager that is known here. */
export function servicePlan(spec: ServiceSpec, installer: Installer): ServicePlan | undefined {
  const { platform, uid, home, userId } = installer;
  switch (platform) {
    case 'linux':
      return systemdPlan(spec, home);
    case 'darwin':
      return launchdPlan(spec, home, uid);
    case 'win32':
      return windowsPlan(spec, userId);
    default:
      return undefined;
  }
}

/** Why the manager cannot be asked now; undefined where it can. */
export function managerFault(
  platform: NodeJS.Platform,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  if (platform === 'darwin' || platform === 'win32') return undefined;
  if (platform !== 'linux') return `no manager of services is known for ${platform}`;
  return exists('/run/systemd/system') ? undefined : 'systemd does not run here';
}

/** Whether the machine has a group whose members may speak to Docker. */
export function hasDockerGroup(groups = '/etc/group'): boolean {
  try {
    return /^docker:/m.test(readFileSync(groups, 'utf8'));
  } catch {
    return false;
  }
}
