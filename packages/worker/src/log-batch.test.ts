import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { limits } from '@assay/core';
import { replicaId } from './fake-server.setup.ts';
import { logBatch } from './log-batch.ts';

type Lines = Parameters<Parameters<typeof logBatch>[0]>[0];
let batches: Lines[];
beforeEach(() => {
  vi.useFakeTimers();
  batches = [];
});
afterEach(() => vi.useRealTimers());

const collect = async (lines: Lines) => void batches.push(lines);
const texts = () => batches.flat().map((line) => line.text);

it('sends whole lines in batches, and what is left at the end', async () => {
  const batch = logBatch(collect);
  const log = batch.open(replicaId(1));
  log.sink('stdout', 'one\ntw');
  log.sink('stderr', 'oops');
  log.sink('stdout', 'o\n\n');
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(limits.logFlushMs);
  expect(texts()).toEqual(['one', 'two', '']);
  log.end();
  await batch.flush();
  expect(texts()).toEqual(['one', 'two', '', 'oops']);
  expect(batches.flat()[3]).toEqual({ replica: replicaId(1), stream: 'stderr', text: 'oops' });
});

it('cuts long lines and stops at the limits', async () => {
  const batch = logBatch(collect);
  const log = batch.open(replicaId(1));
  log.sink('stdout', 'x'.repeat(limits.logLineChars * 2 + 1));
  log.end();
  for (let i = 0; i < limits.logLines + 10; i += 1) log.sink('stdout', '\n');
  await batch.flush();
  expect(
    texts()
      .slice(0, 3)
      .map((text) => text.length),
  ).toEqual([limits.logLineChars, limits.logLineChars, 1]);
  expect(texts()).toHaveLength(limits.logLines);
  expect(batches.every((lines) => lines.length <= limits.logBatchLines)).toBe(true);
});

it('drops a batch that cannot be sent and goes on', async () => {
  let calls = 0;
  const batch = logBatch(async (lines) => {
    calls += 1;
    if (calls === 1) throw new Error('no');
    batches.push(lines);
  });
  const log = batch.open(replicaId(1));
  log.sink('stdout', 'lost\n');
  await batch.flush();
  log.sink('stdout', 'kept\n');
  await batch.flush();
  expect(texts()).toEqual(['kept']);
});
