/** The service of a worker on this machine, for whoever runs this command. */

import { spawnSync } from 'node:child_process';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { Fault } from '@assay/core';
import { fileURLToPath } from 'node:url';
import {
  hasDockerGroup,
  servicePlan,
  serviceUser,
  workerFolder,
  type ServicePlan,
  type WorkerSettings,
} from '@assay/worker';
import { checkout, windowsUser } from '../config.ts';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Root installs for the whole machine, with a user of the service's own. */
export function ownUser(): string | undefined {
  return process.getuid?.() === 0 && process.platform !== 'win32' ? serviceUser : undefined;
}

/** The plan of the service; undefined where this platform has no manager that is known. */
export function planOf(
  name: string,
  stateDir: string,
  settings: Pick<WorkerSettings, 'sandbox' | 'cpu_share' | 'memory_share'>,
): ServicePlan | undefined {
  const user = ownUser();
  return servicePlan(
    {
      name,
      node: process.execPath,
      program,
      checkout: checkout.replace(/\/$/, ''),
      stateDir,
      folder: workerFolder(stateDir, name),
      docker: settings.sandbox !== 'wasm' && hasDockerGroup(),
      settings,
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      ...(user !== undefined && { user }),
    },
    {
      platform: process.platform,
      uid: process.getuid?.() ?? 0,
      home: homedir(),
      userId: windowsUser(),
    },
  );
}

/**
 * Makes the service's user, if it is not there, and gives it the worker's folder and nothing beside it: other state of
 * this machine may lie in the folders above, which it may only pass through. Faults `worker.service_failed`.
 */
export function giveTo(user: string, folder: string, above: readonly string[]): void {
  if (spawnSync('id', ['-u', user]).status !== 0) {
    const shell = '/usr/sbin/nologin';
    must(['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', folder, '--shell', shell, user]);
  }
  for (const one of above) must(['chmod', 'a+x', one]);
  must(['chown', '-R', '-h', `${user}:${user}`, folder]);
}

function must([command = '', ...args]: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Fault('worker.service_failed', `${command}: ${error?.message ?? stderr.trim()}`, { retry: true });
}
