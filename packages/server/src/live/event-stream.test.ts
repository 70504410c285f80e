import { PassThrough } from 'node:stream';
import { limits } from '@assay/core';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sendEvents } from './event-stream.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A client that reads nothing until told to, and what it is sent from. */
function open(mayStay: () => Promise<boolean>) {
  const raw = Object.assign(new PassThrough({ highWaterMark: 8 }), { writeHead: () => {} });
  const ended = Promise.withResolvers<void>();
  const warnings: unknown[] = [];
  const feed: string[][] = [];
  const items = async function* items() {
    for (const batch of feed) yield batch;
    await ended.promise;
  };
  const watching = { items, close: () => ended.resolve() };
  const leave = vi.fn<() => void>();
  const log = { warn: (_what: unknown, text: string) => warnings.push(text) };
  const reply = { hijack: () => {}, getHeaders: () => ({}), raw, log } as unknown as FastifyReply;
  const send = () => sendEvents(reply, watching, { textOf: (text: string) => text, mayStay, leave });
  return { raw, feed, leave, warnings, send };
}

test('a slow client leaves no listener behind for each time that it was waited for', async () => {
  const { raw, feed, send } = open(async () => true);
  feed.push(...Array.from({ length: 30 }, () => ['x'.repeat(100)]));
  const sent = send();
  await vi.advanceTimersByTimeAsync(0);
  const before = raw.listenerCount('close');
  for (let turn = 0; turn < 20; turn += 1) {
    raw.read();
    await vi.advanceTimersByTimeAsync(limits.eventGatherMs);
  }
  expect(raw.listenerCount('close')).toBeLessThanOrEqual(before);
  raw.destroy();
  await vi.advanceTimersByTimeAsync(limits.eventSilenceMs);
  await sent;
});

test('a stream ends with the first heartbeat after its reader may no longer see it', async () => {
  let may = true;
  const { raw, leave, send } = open(async () => may);
  const sent = send();
  await vi.advanceTimersByTimeAsync(2 * limits.eventHeartbeatMs);
  expect(leave).not.toHaveBeenCalled();
  may = false;
  await vi.advanceTimersByTimeAsync(limits.eventHeartbeatMs);
  await sent;
  expect(leave).toHaveBeenCalledTimes(1);
  expect(raw.writableEnded).toBe(true);
});

test('a stream goes on while nobody can tell whether it may', async () => {
  const { leave, warnings, send, raw } = open(() => Promise.reject(new Error('the database is away')));
  const sent = send();
  await vi.advanceTimersByTimeAsync(limits.eventHeartbeatMs);
  expect(warnings).toEqual(['whether an event stream may go on is not known']);
  expect(leave).not.toHaveBeenCalled();
  raw.destroy();
  await vi.advanceTimersByTimeAsync(0);
  await sent;
});
