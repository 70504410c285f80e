/** One worker at a time in a state folder: who holds it, also after a crash. */

import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Fault } from '@assay/core';

const fileName = 'running.pid';

/** Names a process for good: pids are given again, a start is not. Only Linux tells the start. */
function identityOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie runs nothing.
    return state === 'Z' ? undefined : `${pid} ${rest[18] ?? ''}`;
  } catch {
    return `${pid} `;
  }
}

/** The process that works in the folder now. */
export async function holderOf(stateDir: string): Promise<number | undefined> {
  const text = await readFile(join(stateDir, fileName), 'utf8').catch(() => undefined);
  const pid = Number(text?.split(' ')[0]);
  return text !== undefined && Number.isSafeInteger(pid) && pid > 0 && identityOf(pid) === text ? pid : undefined;
}

/** Removes a dead process's mark, unless somebody has put a live one in its place since. */
async function setAside(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const text = await readFile(aside, 'utf8');
  if (identityOf(Number(text.split(' ')[0])) === text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Takes the folder for this process. Faults `worker.running` where another one has it. */
export async function lockFolder(stateDir: string): Promise<() => Promise<void>> {
  const path = join(stateDir, fileName);
  const mine = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(mine, identityOf(process.pid) ?? '', { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        // Unlike a rename, a link never replaces what another process has just made.
        await link(mine, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await holderOf(stateDir);
      if (holder !== undefined || attempt > 4) {
        const who = holder === undefined ? 'another process' : `process ${holder}`;
        throw new Fault('worker.running', `${who} works in ${stateDir} already`, { retry: false });
      }
      await setAside(path);
    }
  } finally {
    await rm(mine, { force: true });
  }
}
