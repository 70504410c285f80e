/** The audit log's folder: a file for each day, and the head that counts the lines. */

import { createReadStream } from 'node:fs';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainPoint } from './audit-line.ts';

export interface Head extends ChainPoint {
  /** Starts without an end, by line number. */
  readonly open: readonly { readonly start: number; readonly label: string }[];
}

const dayFile = /^(\d{4}-\d{2}-\d{2})\.jsonl$/;

/** The days that the folder has a file for, oldest first; none where there is no folder. */
export async function daysIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => dayFile.exec(name)?.[1] ?? []).toSorted();
}

export function dayPath(folder: string, day: string): string {
  return join(folder, `${day}.jsonl`);
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The head as it was last written, undefined where there is none that can be read. */
export async function readHead(folder: string): Promise<Head | undefined> {
  try {
    const head = JSON.parse(await readFile(join(folder, 'head.json'), 'utf8')) as Head;
    return Number.isSafeInteger(head.n) && typeof head.hash === 'string' && Array.isArray(head.open) ? head : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the head in one step. It may lag behind the lines after a crash, never run ahead of them. */
export async function writeHead(folder: string, head: Head): Promise<void> {
  const next = join(folder, 'head.next');
  await writeFile(next, JSON.stringify(head), { mode: 0o600 });
  await rename(next, join(folder, 'head.json'));
}

/** The lines of a day with their numbers in the file; `whole` is false for a last line without its line feed. */
export async function* linesOf(path: string): AsyncGenerator<{ text: string; line: number; whole: boolean }> {
  let held = '';
  let line = 0;
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const parts = (held + (chunk as string)).split('\n');
    held = parts.pop() ?? '';
    for (const text of parts) yield { text, line: (line += 1), whole: true };
  }
  if (held !== '') yield { text: held, line: line + 1, whole: false };
}
