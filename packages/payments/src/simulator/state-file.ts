/** The simulated bank on disk, so that it survives a kill: whole files, replaced at once. */

import { open, readFile, rename } from 'node:fs/promises';
import { bankFromJson, wireJson, type BankState } from './bank-books.ts';

/** Writes the state; changes that come while a write runs share the next one. */
export interface StateFile {
  /** Resolves when the state as it is now is on the disk. */
  save(): Promise<void>;
}

/** The state in the file at `path`, or undefined where there is none. */
export async function loadState(path: string): Promise<BankState | undefined> {
  try {
    return bankFromJson(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps `state` in the file at `path`. */
export function stateFile(path: string, state: BankState): StateFile {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    const draft = `${path}.draft`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(wireJson(state));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  };
  const start = (): Promise<void> => {
    running = write().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    async save() {
      if (!running) return await start();
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return start();
        });
      return await next;
    },
  };
}
