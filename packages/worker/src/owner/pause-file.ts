/** How an owner pauses a running worker: a file in its state folder, which the agent looks at. */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { integerShape, flagShape, oneOfShape, recordShape, type Shape } from '@assay/core';
import { writeDurably } from '../durable-file.ts';

export interface Pause {
  /** Null stands for until it is resumed. */
  readonly untilMs: number | null;
  /** Units that run are given back at once. */
  readonly giveBack: boolean;
}

const latestMs = 8_640_000_000_000_000;
const until: Shape<number | null> = {
  schema: {},
  read: (value, path, report) =>
    value === null ? oneOfShape([null]).read(value, path, report) : integerShape(0, latestMs).read(value, path, report),
};
const shape = recordShape({ untilMs: until, giveBack: flagShape() });

const pathIn = (stateDir: string): string => join(stateDir, 'pause.json');

/** The pause in force or past; null without one. A file that cannot be read pauses, which is what somebody wanted. */
export async function readPause(stateDir: string): Promise<Pause | null> {
  const text = await readFile(pathIn(stateDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return null;
  try {
    return shape.read(JSON.parse(text), '', () => undefined) ?? { untilMs: null, giveBack: false };
  } catch {
    return { untilMs: null, giveBack: false };
  }
}

export function writePause(stateDir: string, pause: Pause): Promise<void> {
  return writeDurably(pathIn(stateDir), JSON.stringify(pause));
}

export function endPause(stateDir: string): Promise<void> {
  return rm(pathIn(stateDir), { force: true });
}
