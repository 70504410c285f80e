/**
 * What changed, in an order that readers can follow without missing a row. A row's position is drawn before its
 * transaction commits, so a reader that asks for positions above the last one it saw would skip a row of a slow
 * transaction that commits later with a lower position. Readers therefore go by (transaction id, position) and read only
 * rows of transactions below the oldest one still running (`pg_snapshot_xmin`): whatever is below that has ended and
 * nothing can be added to it. The price: a long transaction holds back what others have committed meanwhile, which is
 * why a read says whether something is held back, to be read again in a moment.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountId, type Branded, type JobId, limits, refuse } from '@assay/core';
import type { Database, Tx } from './database.ts';

/** Where a reader is: opaque, ordered only by the feed. */
export type FeedCursor = Branded<'feedCursor'>;

/** Before the first change. */
export const feedStart = '0.0' as FeedCursor;

/** Something that viewers of a job or of an account want to know. */
export interface NewChange {
  readonly jobId?: JobId | null;
  readonly accountId?: AccountId | null;
  /** What happened, as `job.funded`. */
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A change as readers get it. */
export interface Change {
  readonly cursor: FeedCursor;
  readonly jobId: JobId | null;
  readonly accountId: AccountId | null;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

/** Whose changes to read; all when empty. */
export interface ChangeFilter {
  readonly jobId?: JobId;
  readonly accountId?: AccountId;
}

/** A page of the feed. */
export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where to go on. */
  readonly cursor: FeedCursor;
  /** There is more to read, now or once a running transaction ends: ask again soon, no notification will tell. */
  readonly more: boolean;
}

/** Adds changes; they are seen, and `change_feed` is notified, at commit. */
export async function addChanges(tx: Tx, changes: readonly NewChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query(
    {
      name: 'change_add',
      text: `INSERT INTO change_feed (job_id, account_id, kind, data)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])`,
    },
    [
      changes.map((change) => change.jobId ?? null),
      changes.map((change) => change.accountId ?? null),
      changes.map((change) => change.kind),
      changes.map((change) => JSON.stringify(change.data)),
    ],
  );
}

/** Adds one change. */
export async function addChange(tx: Tx, change: NewChange): Promise<void> {
  await addChanges(tx, [change]);
}

/** `text` as a cursor; refuses `request.malformed`. */
export function parseFeedCursor(text: string): FeedCursor {
  if (!/^\d{1,19}\.\d{1,19}$/.test(text))
    throw refuse('request.malformed', 'not a cursor of the change feed', { text });
  return text as FeedCursor;
}

interface ChangeRow extends Omit<Change, 'cursor'> {
  readonly xid: string;
  readonly position: bigint;
}

const beyond = {
  name: 'change_beyond',
  text: 'SELECT FROM change_feed WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1',
};

const read = {
  name: 'change_read',
  text: `SELECT xid::text, position, job_id AS "jobId", account_id AS "accountId", kind, data, at FROM change_feed
    WHERE (xid, position) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND ($3::text IS NULL OR job_id = $3) AND ($4::text IS NULL OR account_id = $4)
    ORDER BY xid, position LIMIT $5`,
};

/** Changes after `after` that match `filter`, in the order of the feed. */
export async function readChanges(
  tx: Tx,
  after: FeedCursor,
  filter: ChangeFilter = {},
  limit: number = limits.pageItems,
): Promise<ChangePage> {
  // Asked first: a row that is held back only afterwards was committed afterwards, and its notification is on its way.
  const [held] = await tx.query(beyond);
  const [xid = '0', position = '0'] = after.split('.');
  const { jobId, accountId } = filter;
  const rows = await tx.query<ChangeRow>(read, [xid, position, jobId, accountId, limit]);
  const changes = rows.map(({ xid: by, position: place, ...row }) => ({
    ...row,
    cursor: `${by}.${place}` as FeedCursor,
  }));
  return { changes, cursor: changes.at(-1)?.cursor ?? after, more: rows.length === limit || held !== undefined };
}

/** The cursor after which everything is yet to come. */
export async function feedEnd(tx: Tx): Promise<FeedCursor> {
  const [row] = await tx.query<{ xid: string }>('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid');
  return `${row?.xid ?? '0'}.0` as FeedCursor;
}

/**
 * Calls `onChanges` with every change after `after`, in order, one call at a time, until closed. One follower a process
 * serves any number of viewers. A database that does not answer is asked again until it does.
 */
export async function followChanges(
  db: Database,
  after: FeedCursor,
  onChanges: (changes: readonly Change[]) => void | Promise<void>,
): Promise<{ close(): Promise<void> }> {
  const stop = new AbortController();
  let wake = new AbortController();
  const subscription = await db.listen('change_feed', () => wake.abort());
  const follow = async (): Promise<void> => {
    for (let cursor = after; !stop.signal.aborted;) {
      wake = new AbortController();
      let waitMs: number = limits.feedPollMs;
      let gatherMs = 0;
      try {
        const page = await readChanges(db, cursor);
        if (page.changes.length > 0) await onChanges(page.changes);
        cursor = page.cursor;
        if (page.more) waitMs = 0;
        // Under load each look would find one transaction's changes.
        if (page.changes.length < limits.pageItems && (page.more || page.changes.length > 0)) {
          gatherMs = limits.feedGatherMs;
        }
      } catch {
        // The listener reconnects by itself; what was missed is read from the cursor.
      }
      await sleep(gatherMs, undefined, { signal: stop.signal }).catch(() => undefined);
      const either = AbortSignal.any([wake.signal, stop.signal]);
      await sleep(waitMs, undefined, { signal: either }).catch(() => undefined);
    }
  };
  const following = follow();
  return {
    async close() {
      stop.abort();
      await subscription.close();
      await following;
    },
  };
}

/** Forgets changes older than `ageMs`; how many. Viewers that were away longer load the page anew. */
export async function pruneChanges(tx: Tx, ageMs: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM change_feed WHERE at < assay_now() - $1::bigint * interval '1 millisecond' RETURNING 1`,
    [ageMs],
  );
  return rows.length;
}
