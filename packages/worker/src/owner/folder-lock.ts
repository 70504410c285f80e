/** One worker at a time in a state folder: who holds it, also after a crash. */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@assay/core';

/** A mark's number grows with each that takes over from a dead one, so nobody ever moves a mark of the living. */
const markPattern = /^running\.(\d{1,9})\.pid$/;

interface Mark {
  readonly path: string;
  readonly number: number;
  readonly text: string;
}

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

/** The process of a mark, undefined where it is no more. */
function livingOf(mark: Mark): number | undefined {
  const [pid = '', start = ''] = mark.text.split(' ');
  const number = Number(pid);
  return Number.isSafeInteger(number) && number > 0 && identityOf(number) === `${pid} ${start}` ? number : undefined;
}

async function marksIn(stateDir: string): Promise<Mark[]> {
  const marks: Mark[] = [];
  for (const name of await readdir(stateDir).catch(() => [])) {
    const [, digits] = markPattern.exec(name) ?? [];
    if (digits === undefined) continue;
    const path = join(stateDir, name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) marks.push({ path, number: Number(digits), text });
  }
  return marks;
}

/** The process that works in the folder now. */
export async function holderOf(stateDir: string): Promise<number | undefined> {
  for (const mark of await marksIn(stateDir)) {
    const pid = livingOf(mark);
    if (pid !== undefined) return pid;
  }
  return undefined;
}

/** Removes the mark where it still says what it said. */
async function removeMark(mark: Mark): Promise<void> {
  const text = await readFile(mark.path, 'utf8').catch(() => undefined);
  if (text === mark.text) await rm(mark.path, { force: true });
}

function refuseEntry(stateDir: string, pid: number | undefined): Fault {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new Fault('worker.running', `${who} works in ${stateDir} already`, { retry: false });
}

/**
 * Takes the folder for this process: its mark gets the number after the highest, which exactly one can give it, and
 * holds once no other living mark is there. Of two that see each other both leave. Faults `worker.running`.
 */
export async function lockFolder(stateDir: string): Promise<() => Promise<void>> {
  const there = await marksIn(stateDir);
  const holder = there.map(livingOf).find((pid) => pid !== undefined);
  if (holder !== undefined) throw refuseEntry(stateDir, holder);
  const number = 1 + Math.max(0, ...there.map((mark) => mark.number));
  const text = `${identityOf(process.pid) ?? ''} ${randomBytes(6).toString('hex')}`;
  const mine: Mark = { path: join(stateDir, `running.${number}.pid`), number, text };
  const draft = `${mine.path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600 });
  try {
    // Unlike a rename, a link never replaces what another process has just made.
    await link(draft, mine.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw refuseEntry(stateDir, await holderOf(stateDir));
  } finally {
    await rm(draft, { force: true });
  }
  const others = (await marksIn(stateDir)).filter((mark) => mark.text !== text);
  const rival = others.map(livingOf).find((pid) => pid !== undefined);
  if (rival !== undefined) {
    await removeMark(mine);
    throw refuseEntry(stateDir, rival);
  }
  for (const dead of others) await removeMark(dead);
  return () => removeMark(mine);
}
