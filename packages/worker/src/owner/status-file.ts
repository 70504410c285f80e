/** What a running worker says about itself to whoever asks on the same machine. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaimReason } from './may-claim.ts';

export interface WorkerStatus {
  readonly workerId: string;
  readonly name: string;
  readonly url: string;
  readonly startedAt: string;
  /** Takes work, or why not. */
  readonly may: boolean;
  readonly reason: ClaimReason | null;
  readonly text: string | null;
  readonly running: number;
  /** Results that the market has not seen yet. */
  readonly waiting: number;
  readonly capacity: number;
  readonly runners: readonly string[];
}

const pathIn = (stateDir: string): string => join(stateDir, 'status.json');

/** Writes the file where the status differs from the last one written. */
export function statusWriter(stateDir: string): (status: WorkerStatus) => Promise<void> {
  let last = '';
  return async (status) => {
    const text = JSON.stringify(status);
    if (text === last) return;
    const path = pathIn(stateDir);
    await writeFile(`${path}.writing`, text, { mode: 0o600 });
    await rename(`${path}.writing`, path);
    last = text;
  };
}

export function removeStatus(stateDir: string): Promise<void> {
  return rm(pathIn(stateDir), { force: true });
}

/** The last status, also of a worker that was killed; undefined where none was written. */
export async function readStatus(stateDir: string): Promise<WorkerStatus | undefined> {
  const text = await readFile(pathIn(stateDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as WorkerStatus;
  } catch {
    return undefined;
  }
}
