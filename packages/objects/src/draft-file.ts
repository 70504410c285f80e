/** Files on their way in: written beside the objects under names that tell whose they are, and swept when abandoned. */

import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@assay/core';

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const draftName = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{32}$/;
const inFlight = new Set<string>();

/** After this long a draft is abandoned, whoever made it. */
const draftKeepMs = 24 * 3_600_000;

/** A file that is not there for readers until it is moved into its place. */
export interface Draft {
  readonly file: FileHandle;
  /** Makes the bytes durable and moves the file to `target`, whose folder exists. */
  keep(target: string): Promise<void>;
  /** Removes it; nothing to do after `keep`. */
  drop(): Promise<void>;
}

/** Opens a fresh draft in `folder`. */
export async function openDraft(folder: string): Promise<Draft> {
  const name = `${host}-${process.pid}-${randomBytes(16).toString('hex')}`;
  const path = join(folder, name);
  inFlight.add(name);
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    inFlight.delete(name);
    throw error;
  });
  let kept = false;
  return {
    file,
    async keep(target) {
      await file.sync();
      await rename(path, target);
      kept = true;
    },
    async drop() {
      await file.close();
      if (!kept) await rm(path, { force: true });
      inFlight.delete(name);
    },
  };
}

/**
 * Removes drafts that nobody will finish: those of processes of this machine that are gone and those older than
 * `draftKeepMs`, which covers other machines on a shared folder. Answers how many it removed.
 */
export async function sweepDrafts(folder: string, clock: Clock): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!info || !(isAbandoned(name) || clock.nowMs() - info.mtimeMs > draftKeepMs)) continue;
    await rm(path, { force: true, recursive: true });
    removed += 1;
  }
  return removed;
}

function isAbandoned(name: string): boolean {
  const match = draftName.exec(name);
  if (!match || match[1] !== host) return false;
  const pid = Number(match[2]);
  // A process id is used again after a restart, in a container at once, so our own drafts are known by name.
  return pid === process.pid ? !inFlight.has(name) : !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
