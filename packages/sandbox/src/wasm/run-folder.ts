/** A run's folder on this machine, with what a later start needs to clean up after a crash. */

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signalGroup } from './child.ts';
import { processIdentity } from './process-figures.ts';

export interface RunFolder {
  readonly path: string;
  /** Notes the child, so that a sweep after a crash finds it. */
  remember(pid: number): Promise<void>;
  /** Takes the folder away with everything in it. */
  remove(): Promise<void>;
}

interface Note {
  readonly child?: readonly [number, string | undefined];
}

const noteName = 'run.json';

/** A fresh folder below `workDir`, named after the run. */
export async function openRunFolder(workDir: string, label: string): Promise<RunFolder> {
  // The owner is in the name, since a driver may be killed before there is a note.
  const name = `${plain(label).slice(0, 80)}.${ownerOf(process.pid)}.${randomBytes(6).toString('hex')}`;
  const path = join(workDir, name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const write = (note: Note) => writeFile(join(path, noteName), JSON.stringify(note), { mode: 0o600 });
  return {
    path,
    remember: (pid) => write({ child: [pid, processIdentity(pid)] }),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

const plain = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '-');

function ownerOf(pid: number): string {
  return `${pid}-${plain(processIdentity(pid) ?? 'gone')}`;
}

/** Whether the driver that made a folder of that name still runs. */
function ownerLives(name: string): boolean {
  const owner = name.split('.').at(-2) ?? '';
  return ownerOf(Number.parseInt(owner, 10)) === owner && !owner.endsWith('-gone');
}

/** Ends and removes the runs of drivers that are no more; returns how many there were. */
export async function abandoned(workDir: string): Promise<number> {
  let count = 0;
  for (const name of await readdir(workDir).catch(() => [])) {
    const path = join(workDir, name);
    if (ownerLives(name)) continue;
    const note = await readNote(path);
    if (note?.child && isAlive(note.child)) signalGroup(note.child[0], 'SIGKILL');
    await rm(path, { recursive: true, force: true });
    count += 1;
  }
  return count;
}

async function readNote(path: string): Promise<Note | undefined> {
  try {
    return JSON.parse(await readFile(join(path, noteName), 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

function isAlive([pid, identity]: readonly [number, string | undefined]): boolean {
  return identity !== undefined && processIdentity(pid) === identity;
}
