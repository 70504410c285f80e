/** Messages that arrive: stored as they came, once, answered at once, and worked on later by whoever leases them. */

import { limits } from '@assay/core';
import type { Tx } from './database.ts';

/** A verified message. */
export interface NewInboxMessage {
  /** Who sent it, as `stripe:eu`. */
  readonly source: string;
  /** What makes it one event, however often it is delivered. */
  readonly eventKey: string;
  /** The body's bytes, which the signature is over. */
  readonly raw: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** What the verifier read in it; empty where it is read later. */
  readonly notice?: Readonly<Record<string, unknown>>;
}

/** A leased message. */
export interface ClaimedInboxMessage {
  readonly id: bigint;
  readonly source: string;
  readonly eventKey: string;
  readonly raw: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly notice: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  readonly receivedAt: Date;
  readonly fence: bigint;
}

/** Stores a message; false when the event was there before. */
export async function receiveInbox(tx: Tx, message: NewInboxMessage): Promise<boolean> {
  const rows = await tx.query(
    {
      name: 'inbox_receive',
      text: `INSERT INTO inbox (source, event_key, raw, headers, notice) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (source, event_key) DO NOTHING RETURNING id`,
    },
    [
      message.source,
      message.eventKey,
      Buffer.from(message.raw),
      JSON.stringify(message.headers),
      JSON.stringify(message.notice ?? {}),
    ],
  );
  return rows.length === 1;
}

const claim = {
  name: 'inbox_claim',
  text: `WITH open AS MATERIALIZED (
      SELECT id FROM inbox WHERE state IN ('received', 'parked') AND next_at <= assay_now()
        AND (lease_until IS NULL OR lease_until <= assay_now()) ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE inbox i SET attempts = attempts + 1, fence = fence + 1,
      lease_until = assay_now() + $2::bigint * interval '1 millisecond'
    FROM open WHERE i.id = open.id
    RETURNING i.id, source, event_key AS "eventKey", raw, headers, notice, attempts, received_at AS "receivedAt", fence`,
};

/** Leases up to `limit` messages that nobody has finished, the oldest first. */
export async function claimInbox(
  tx: Tx,
  limit: number = limits.outboxBatch,
  leaseMs: number = limits.leaseMs,
): Promise<ClaimedInboxMessage[]> {
  const rows = await tx.query<ClaimedInboxMessage>(claim, [limit, leaseMs]);
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** `parked` comes back after `afterMs`; `ignored` is of no concern; both stay stored. */
export type InboxOutcome =
  | { readonly kind: 'done' | 'ignored' }
  | { readonly kind: 'parked'; readonly afterMs?: number };

/** Stores the outcome; false when the lease was lost to another, and then nothing is stored. */
export async function finishInbox(
  tx: Tx,
  message: Pick<ClaimedInboxMessage, 'id' | 'fence' | 'attempts'>,
  outcome: InboxOutcome,
): Promise<boolean> {
  const parkedMs = Math.min(limits.outboxRetryMs * 2 ** Math.min(message.attempts - 1, 20), limits.outboxRetryMaxMs);
  const rows = await tx.query(
    {
      name: 'inbox_finish',
      text: `UPDATE inbox SET state = $3::inbox_state, lease_until = NULL,
          next_at = assay_now() + $4::bigint * interval '1 millisecond',
          finished_at = CASE WHEN $3 <> 'parked' THEN assay_now() END
        WHERE id = $1 AND fence = $2 AND state IN ('received', 'parked') RETURNING id`,
    },
    [message.id, message.fence, outcome.kind, outcome.kind === 'parked' ? (outcome.afterMs ?? parkedMs) : 0],
  );
  return rows.length === 1;
}
