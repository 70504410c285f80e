/**
 * The audit log of a machine's sandboxes: JSON lines in a file a day, chained by hashes. A line is on the disk before
 * the call that writes it returns; whatever kills the process, the next one to open the log closes what was left open.
 */

import { createHash } from 'node:crypto';
import { mkdir, open, rm, truncate, type FileHandle } from 'node:fs/promises';
import { Fault, limits, type Clock } from '@assay/core';
import { dayOf, dayPath, daysIn, linesOf, readHead, sizeOf, writeHead, type Head } from './audit-files.ts';
import { genesis, hashOfLine, nextLine, parseLine, type AuditEntry, type ChainPoint } from './audit-line.ts';

export interface AuditLog {
  /** Writes a line and returns its number once it is on the disk. Faults `sandbox.fault` where it cannot be written. */
  append(entry: AuditEntry): Promise<number>;
  /** Writes what waits and closes the files. */
  close(): Promise<void>;
}

interface Waiting {
  readonly entry: AuditEntry;
  readonly done: (n: number) => void;
  readonly failed: (error: unknown) => void;
}

interface OpenLog {
  head: Head;
  day: string;
  file: FileHandle;
  /** Of the day's file, as this process wrote it. */
  sizeBytes: number;
  /** Of all files. */
  totalBytes: number;
  /** The day on which old files were last looked for. */
  lookedOn?: string;
}

/** The log in `folder`, which one process writes at a time; it is opened by the first line. */
export function auditLog(folder: string, clock: Clock, maxBytes: number = limits.auditBytes): AuditLog {
  const waiting: Waiting[] = [];
  let state: OpenLog | undefined;
  let writing: Promise<void> | undefined;
  let closed = false;
  const drain = async () => {
    // Lines that came in the same turn share one write.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, limits.auditBatch);
      try {
        state ??= await openLog(folder, clock);
        await makeRoom(folder, state, clock.nowMs(), maxBytes);
        const entries = batch.map(({ entry }) => entry);
        const numbers = await put(folder, state, clock.nowMs(), entries);
        for (const [index, { done }] of batch.entries()) done(numbers[index] ?? 0);
      } catch (error) {
        await state?.file.close().catch(() => {});
        state = undefined;
        const fault = new Fault('sandbox.fault', 'the audit log cannot be written', { cause: error, retry: true });
        for (const { failed } of batch) failed(error instanceof Fault ? error : fault);
      }
    }
    writing = undefined;
  };
  return {
    append: (entry) =>
      new Promise((done, failed) => {
        if (closed) return failed(new Fault('sandbox.fault', 'the audit log is closed', { retry: false }));
        waiting.push({ entry, done, failed });
        writing ??= drain();
      }),
    async close() {
      closed = true;
      await writing;
      await state?.file.close();
      state = undefined;
    },
  };
}

/** Turns the day, and removes old days where there is no room for another line. */
async function makeRoom(folder: string, state: OpenLog, nowMs: number, maxBytes: number): Promise<void> {
  await turnDay(folder, state, nowMs);
  const { size } = await state.file.stat();
  if (size !== state.sizeBytes) {
    throw new Fault('sandbox.fault', 'another process writes the same audit log', { retry: false });
  }
  while (state.totalBytes > maxBytes) {
    if (await shed(folder, state, nowMs)) continue;
    throw new Fault('sandbox.fault', `the audit log of this day holds ${maxBytes} bytes`, { retry: false });
  }
}

/** Appends to the day's file, in one write, and puts it on the disk. Returns the lines' numbers. */
async function put(folder: string, state: OpenLog, nowMs: number, entries: readonly AuditEntry[]): Promise<number[]> {
  let point: ChainPoint = state.head;
  let running = new Map(state.head.open.map((one) => [one.start, one]));
  const texts: string[] = [];
  const numbers: number[] = [];
  for (const entry of entries) {
    const next = nextLine(point, nowMs, entry);
    point = next.point;
    texts.push(`${next.text}\n`);
    numbers.push(point.n);
    running = follow(running, point.n, entry);
  }
  const bytes = Buffer.from(texts.join(''));
  await state.file.appendFile(bytes);
  await state.file.datasync();
  state.sizeBytes += bytes.length;
  state.totalBytes += bytes.length;
  state.head = { ...point, open: [...running.values()] };
  await writeHead(folder, state.head);
  return numbers;
}

type Running = Map<number, Head['open'][number]>;

function follow(running: Running, n: number, entry: AuditEntry): Running {
  if (entry.kind === 'start') running.set(n, { start: n, label: entry.label });
  if (entry.kind === 'end' || entry.kind === 'lost') running.delete(entry.start);
  return running;
}

/** The next day's file where the day is over, and the removal of what is too old. Days never run backwards. */
async function turnDay(folder: string, state: OpenLog, nowMs: number): Promise<void> {
  const today = dayOf(nowMs);
  if (today > state.day) {
    await state.file.close();
    state.file = await open(dayPath(folder, today), 'a', 0o600);
    state.day = today;
    state.sizeBytes = await sizeOf(dayPath(folder, today));
  }
  if (state.lookedOn === today) return;
  state.lookedOn = today;
  const oldest = dayOf(nowMs - limits.auditKeepMs);
  const old = (await daysIn(folder)).filter((day) => day < oldest && day < state.day);
  if (old.length > 0) await purge(folder, state, nowMs, old, 'age');
}

/** Removes the oldest day where the whole log has grown beyond its bound; false where only today is left. */
async function shed(folder: string, state: OpenLog, nowMs: number): Promise<boolean> {
  const [oldest] = await daysIn(folder);
  if (oldest === undefined || oldest >= state.day) return false;
  await purge(folder, state, nowMs, [oldest], 'size');
  return true;
}

/** Says first what goes, so that a crash in between leaves a chain that still verifies. */
async function purge(
  folder: string,
  state: OpenLog,
  nowMs: number,
  days: readonly string[],
  why: 'age' | 'size',
): Promise<void> {
  const last = await lastLine(days.map((day) => dayPath(folder, day)));
  if (last) await put(folder, state, nowMs, [{ kind: 'purged', last: last.n, lastHash: last.hash, why }]);
  for (const day of days) {
    const path = dayPath(folder, day);
    state.totalBytes -= await sizeOf(path);
    await rm(path, { force: true });
  }
}

async function lastLine(paths: readonly string[]): Promise<ChainPoint | undefined> {
  let last: ChainPoint | undefined;
  for (const path of paths) {
    for await (const { text } of linesOf(path)) {
      const line = parseLine(text);
      if (line) last = { n: line.n, hash: hashOfLine(text) };
    }
  }
  return last;
}

/** Opens the folder's newest day, repairs its end, and closes the starts whose process is gone. */
async function openLog(folder: string, clock: Clock): Promise<OpenLog> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const days = await daysIn(folder);
  const nowMs = clock.nowMs();
  const day = days.at(-1) ?? dayOf(nowMs);
  const path = dayPath(folder, day);
  const torn = await takeTorn(path);
  const head = await recover(folder, days);
  const state: OpenLog = {
    head,
    day,
    file: await open(path, 'a', 0o600),
    sizeBytes: await sizeOf(path),
    totalBytes: (await Promise.all(days.map((one) => sizeOf(dayPath(folder, one))))).reduce((a, b) => a + b, 0),
  };
  const lost = head.open.map((one): AuditEntry => ({ kind: 'lost', ...one }));
  await put(folder, state, nowMs, [...(torn ? [torn] : []), ...lost]);
  return state;
}

/** Cuts a last line without its line feed off, and says what it was. */
async function takeTorn(path: string): Promise<AuditEntry | undefined> {
  const size = await sizeOf(path);
  if (size === 0) return undefined;
  const rest: Buffer[] = [];
  let at = size;
  const file = await open(path, 'r');
  try {
    for (let whole = false; !whole && at > 0;) {
      const chunk = Buffer.alloc(Math.min(at, 65_536));
      await file.read(chunk, 0, chunk.length, at - chunk.length);
      const after = chunk.lastIndexOf(0x0a) + 1;
      whole = after > 0;
      rest.unshift(chunk.subarray(after));
      at -= chunk.length - after;
    }
  } finally {
    await file.close();
  }
  if (at === size) return undefined;
  await truncate(path, at);
  const hash = createHash('sha256');
  for (const part of rest) hash.update(part);
  return { kind: 'torn', bytes: size - at, sha256: hash.digest('hex') };
}

/** Where the chain stands: the head, and the lines that were written after it. A head beyond the last line stays. */
async function recover(folder: string, days: readonly string[]): Promise<Head> {
  const kept = await readHead(folder);
  let point: ChainPoint = kept ?? genesis;
  let running: Running = new Map((kept?.open ?? []).map((one) => [one.start, one]));
  // Without a head all lines are read; with one, those of the last two days can be newer than it.
  for (const day of kept ? days.slice(-2) : days) {
    for await (const { text } of linesOf(dayPath(folder, day))) {
      const line = parseLine(text);
      if (!line || line.n <= point.n) continue;
      point = { n: line.n, hash: hashOfLine(text) };
      running = follow(running, line.n, line);
    }
  }
  return { ...point, open: [...running.values()] };
}
