/** Server-sent events (HTML Living Standard §9.2): changes as they happen, comments as a heartbeat. */

import { limits, refuse } from '@assay/core';
import { parseFeedCursor, type Change, type FeedCursor } from '@assay/store';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Where a stream begins: after the last event that a reconnecting browser names, or the query's `after`. */
export function lastEvent(request: FastifyRequest, after: string | undefined): string | undefined {
  const last = request.headers['last-event-id'];
  return typeof last === 'string' && last !== '' ? last : after;
}

/** The same for the feed of changes. */
export function streamStart(request: FastifyRequest, after: string | undefined): FeedCursor | undefined {
  const text = lastEvent(request, after);
  return text === undefined ? undefined : parseFeedCursor(text);
}

/** Streams open per account, so that one account cannot take all. */
export interface StreamCounts {
  enter(account: string): () => void;
}

/** Counts streams; refuses `request.rate_limited` beyond `limits.eventStreamsPerAccount`. */
export function streamCounts(): StreamCounts {
  const counts = new Map<string, number>();
  return {
    enter(account) {
      const open = counts.get(account) ?? 0;
      if (open >= limits.eventStreamsPerAccount) {
        throw refuse('request.rate_limited', 'this account has too many event streams open', { waitMs: 5000 });
      }
      counts.set(account, open + 1);
      return () => {
        const left = (counts.get(account) ?? 1) - 1;
        if (left <= 0) counts.delete(account);
        else counts.set(account, left);
      };
    },
  };
}

/** What a stream is fed from: items as they come, until closed. */
export interface Watching<Item> {
  items(): AsyncGenerator<readonly Item[]>;
  close(): void;
}

/** How a stream is sent. */
export interface Sending<Item> {
  /** An item as an event. */
  textOf(item: Item): string;
  /** Asked with each heartbeat: false ends the stream. */
  mayStay(): Promise<boolean>;
  /** Told once at the end. */
  leave(): void;
}

/** Sends what is watched until the client leaves, may no longer see it, or the watching ends. */
export async function sendEvents<Item>(
  reply: FastifyReply,
  watching: Watching<Item>,
  sending: Sending<Item>,
): Promise<FastifyReply> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.write(': open\n\n');
  const heartbeat = setInterval(() => {
    raw.write(': still here\n\n');
    sending.mayStay().then(
      (stays) => stays || watching.close(),
      // The database is away, say: whoever was let in stays until it can be asked.
      (error: unknown) => reply.log.warn({ err: error }, 'whether an event stream may go on is not known'),
    );
  }, limits.eventHeartbeatMs);
  raw.once('close', () => watching.close());
  // It may have left before anybody listened for that.
  if (raw.destroyed) watching.close();
  try {
    for await (const items of watching.items()) {
      const room = raw.write(items.map((item) => sending.textOf(item)).join(''));
      if (!room && !(await drained(raw))) break;
      await new Promise((resolve) => setTimeout(resolve, limits.eventGatherMs));
    }
  } catch (error) {
    reply.log.warn({ err: error }, 'an event stream broke off');
  } finally {
    clearInterval(heartbeat);
    watching.close();
    sending.leave();
    raw.end();
  }
  return reply;
}

/** A change as an event. */
export function changeText(change: Change): string {
  const { cursor, jobId, kind, data, at } = change;
  const wire = { position: cursor, jobId, kind, data, at: at.toISOString() };
  return `id: ${cursor}\nevent: change\ndata: ${JSON.stringify(wire)}\n\n`;
}

/** Waits until a slow client has read; false when it left or did not read for the length of a silence. */
function drained(raw: FastifyReply['raw']): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOpen: boolean): void => {
      clearTimeout(timer);
      raw.off('drain', onDrain);
      raw.off('close', onClose);
      resolve(isOpen);
    };
    const onDrain = (): void => end(true);
    const onClose = (): void => end(false);
    const timer = setTimeout(onClose, limits.eventSilenceMs);
    raw.once('drain', onDrain);
    raw.once('close', onClose);
  });
}
