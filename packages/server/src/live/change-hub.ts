/** One follower of the change feed per server, any number of watchers. */

import { limits, refuse } from '@assay/core';
import { feedEnd, followChanges, readChanges, type Change, type Database, type FeedCursor } from '@assay/store';

/** Whose changes a watcher gets. */
export interface Watched {
  readonly jobId?: Change['jobId'];
  readonly accountId?: Change['accountId'];
}

/** A watcher's place in the feed. */
export interface Watcher {
  /** Changes in the order of the feed, none twice and none missing, until closed; ends when the watcher is too slow. */
  items(): AsyncGenerator<readonly Change[]>;
  close(): void;
}

export interface ChangeHub {
  /** Watches from after a cursor, or from now. */
  watch(watched: Watched, after?: FeedCursor): Watcher;
  /** How many watch. */
  watching(): number;
  close(): Promise<void>;
}

/** Opens the hub at the end of the feed. */
export async function openChangeHub(db: Database): Promise<ChangeHub> {
  let tail = await feedEnd(db);
  const queues = new Set<Queue>();
  const follower = await followChanges(db, tail, (changes) => {
    tail = changes.at(-1)?.cursor ?? tail;
    for (const queue of queues) queue.push(changes);
  });
  return {
    watch(watched, after) {
      if (queues.size >= limits.eventStreams) throw refuse('request.rate_limited', 'too many event streams', {});
      const queue = openQueue(watched);
      queues.add(queue);
      const joinedAt = tail;
      const close = (): void => {
        queues.delete(queue);
        queue.end();
      };
      return { items: () => watchFrom(db, { watched, queue, joinedAt, after }, close), close };
    },
    watching: () => queues.size,
    async close() {
      await follower.close();
      for (const queue of queues) queue.end();
      queues.clear();
    },
  };
}

interface Start {
  readonly watched: Watched;
  readonly queue: Queue;
  /** The hub's place when the watcher joined: everything after it arrives through the queue. */
  readonly joinedAt: FeedCursor;
  readonly after: FeedCursor | undefined;
}

async function* watchFrom(db: Database, start: Start, close: () => void): AsyncGenerator<readonly Change[]> {
  const { queue, joinedAt, watched } = start;
  try {
    if (start.after !== undefined) yield* catchUp(db, start.after, joinedAt, watched);
    for (;;) {
      const batch = await queue.take();
      if (batch === undefined) return;
      const fresh = batch.filter((change) => isAfter(change.cursor, start.after ?? joinedAt));
      if (fresh.length > 0) yield fresh;
    }
  } finally {
    close();
  }
}

/** What the watcher missed, up to where it joined. */
async function* catchUp(
  db: Database,
  after: FeedCursor,
  until: FeedCursor,
  watched: Watched,
): AsyncGenerator<readonly Change[]> {
  const filter = {
    ...(watched.jobId ? { jobId: watched.jobId } : {}),
    ...(watched.accountId ? { accountId: watched.accountId } : {}),
  };
  for (let cursor = after; isAfter(until, cursor);) {
    const page = await readChanges(db, cursor, filter);
    const missed = page.changes.filter((change) => !isAfter(change.cursor, until));
    if (missed.length > 0) yield missed;
    if (missed.length < limits.pageItems) return;
    cursor = page.cursor;
  }
}

/** Whether cursor `a` is later in the feed than `b`. */
function isAfter(a: FeedCursor, b: FeedCursor): boolean {
  const [aTransaction = '0', aPosition = '0'] = a.split('.');
  const [bTransaction = '0', bPosition = '0'] = b.split('.');
  const difference = BigInt(aTransaction) - BigInt(bTransaction);
  return difference === 0n ? BigInt(aPosition) > BigInt(bPosition) : difference > 0n;
}

interface Queue {
  push(changes: readonly Change[]): void;
  /** The next changes, gathered; undefined at the end. */
  take(): Promise<readonly Change[] | undefined>;
  end(): void;
}

/** A bounded queue: a watcher that does not keep up is ended, and resumes from its last event. */
function openQueue(watched: Watched): Queue {
  let waiting: Change[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  return {
    push(changes) {
      for (const change of changes) {
        if (watched.jobId && change.jobId !== watched.jobId) continue;
        if (watched.accountId && change.accountId !== watched.accountId) continue;
        waiting.push(change);
      }
      if (waiting.length > limits.eventStreamBuffer) ended = true;
      if (waiting.length > 0) wake?.();
    },
    async take() {
      if (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      if (ended) return undefined;
      const batch = waiting;
      waiting = [];
      return batch;
    },
    end() {
      ended = true;
      wake?.();
    },
  };
}
