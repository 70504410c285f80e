/** Lays services down and asks the machine's manager to take them up or drop them. */

import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '@assay/core';
import type { ServicePlan } from '@assay/worker';

type Command = ServicePlan['ensure'][number];

/** Runs a command; undefined where it did what it should, else what it said. */
export type Execute = (command: Command) => string | undefined;

export const execute: Execute = ([program = '', ...args]) => {
  const { status, error, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : (stderr || stdout).trim() || `status ${status}`;
};

async function laidDown(plan: ServicePlan): Promise<string | undefined> {
  return readFile(plan.path, plan.encoding).catch(() => undefined);
}

/** Whether the file of the service lies there. */
export async function isInstalled(plan: ServicePlan): Promise<boolean> {
  return (await laidDown(plan)) !== undefined;
}

/**
 * Makes the service run as planned; `changed` says that it must start anew in any case. Twice is the same as once.
 * Returns whether anything had to change. Faults `worker.service_failed`.
 */
export async function install(plan: ServicePlan, changed: boolean, run: Execute = execute): Promise<boolean> {
  const before = await laidDown(plan);
  const anew = changed || before !== plan.content;
  if (anew && before !== undefined) all(plan.stop, run, true);
  if (before !== plan.content) {
    await mkdir(dirname(plan.path), { recursive: true });
    await writeFile(plan.path, plan.content, plan.encoding);
    await chmod(plan.path, 0o644);
    all(plan.reload, run);
  }
  all(plan.ensure, run, !anew);
  return anew;
}

/** Undoes `install`; returns whether there was anything. */
export async function uninstall(plan: ServicePlan, run: Execute = execute): Promise<boolean> {
  if (!(await isInstalled(plan))) return false;
  all(plan.stop, run, true);
  await rm(plan.path, { force: true });
  all(plan.reload, run);
  return true;
}

/** `lenient`: a manager that complains has what was asked for already. */
function all(commands: readonly Command[], run: Execute, lenient = false): void {
  for (const command of commands) {
    const complaint = run(command);
    if (complaint !== undefined && !lenient) {
      throw new Fault('worker.service_failed', `${command.join(' ')}: ${complaint}`, { retry: true });
    }
  }
}

/** What `--print` shows: the file and the commands. */
export function planText(plan: ServicePlan): string {
  const commands = [...plan.reload, ...plan.ensure].map((command) => `# ${command.join(' ')}`);
  return [`# ${plan.path}`, plan.content.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'), ...commands].join('\n');
}
