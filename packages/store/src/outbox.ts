/** Messages that leave: written with their cause, sent by whoever leases them, settled by whoever still holds the lease. */

import { limits } from '@assay/core';
import { addAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** Where a message goes. */
export type OutboxKind = 'ledger' | 'payment' | 'payout' | 'refund' | 'mail';

/** A message to be sent once. */
export interface NewMessage {
  readonly kind: OutboxKind;
  readonly op: string;
  /** What it is about; messages of kind `ledger` with one ref leave in the order in which they were added. */
  readonly ref: string;
  /** The idempotency key that every sending carries; 8 to 200 characters. */
  readonly key: string;
  readonly request: Readonly<Record<string, unknown>>;
}

/** A leased message. */
export interface ClaimedMessage extends NewMessage {
  readonly id: bigint;
  /** Sendings, this one included. */
  readonly attempts: number;
  /** The outcome of an earlier sending is not known: only the same key may be sent, or the receiver asked. */
  readonly inDoubt: boolean;
  /** Milliseconds since the first sending; 0 at the first. */
  readonly ageMs: number;
  /** Proves that the lease is still ours. */
  readonly fence: bigint;
}

/**
 * What came of a sending. `retry` is a definite no that may pass, `unknown` an open outcome (the message is sent again
 * under its key), `human` waits for an operator and holds back later messages of its ledger ref.
 */
export type SendOutcome =
  | { readonly kind: 'done'; readonly providerId?: string }
  | { readonly kind: 'failed' | 'human'; readonly error: string }
  | { readonly kind: 'retry' | 'unknown'; readonly error: string; readonly afterMs?: number };

/** Adds a message once per key; false when the key is there already. */
export async function addToOutbox(tx: Tx, message: NewMessage): Promise<boolean> {
  return (await addAllToOutbox(tx, [message])) === 1;
}

const add = {
  name: 'outbox_add',
  text: `INSERT INTO outbox (kind, op, ref, idem_key, request)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
    ON CONFLICT (idem_key) DO NOTHING RETURNING id`,
};

/** Adds messages in order, each once per key; how many were new. */
export async function addAllToOutbox(tx: Tx, messages: readonly NewMessage[]): Promise<number> {
  if (messages.length === 0) return 0;
  const added = await tx.query(add, [
    messages.map((message) => message.kind),
    messages.map((message) => message.op),
    messages.map((message) => message.ref),
    messages.map((message) => message.key),
    messages.map((message) => JSON.stringify(message.request)),
  ]);
  return added.length;
}

// A message of the ledger waits for the older ones of its ref. A lease that ran out leaves the outcome in doubt.
const claim = {
  name: 'outbox_claim',
  text: `WITH ready AS MATERIALIZED (
      SELECT id FROM outbox o
      WHERE kind = ANY($1) AND next_at <= assay_now() AND ($4::text IS NULL OR ref = $4)
        AND (state IN ('ready', 'unknown') OR (state = 'sending' AND lease_until <= assay_now()))
        AND (kind <> 'ledger' OR NOT EXISTS (SELECT FROM outbox e WHERE e.kind = 'ledger' AND e.ref = o.ref AND e.id < o.id
          AND e.state IN ('ready', 'sending', 'unknown', 'human')))
      ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE outbox o SET state = 'sending', attempts = attempts + 1, fence = fence + 1,
      in_doubt = in_doubt OR state = 'sending', lease_until = assay_now() + $3::bigint * interval '1 millisecond',
      first_sent_at = coalesce(first_sent_at, assay_now())
    FROM ready WHERE o.id = ready.id
    RETURNING o.id, kind, op, ref, idem_key AS key, request, attempts, in_doubt AS "inDoubt", fence,
      greatest(0, extract(epoch FROM assay_now() - first_sent_at) * 1000)::float8 AS "ageMs"`,
};

/** Leases up to `limit` messages for `leaseMs`, the oldest first, or those of one ref; commit before sending them. */
export async function claimOutbox(
  tx: Tx,
  kinds: readonly OutboxKind[],
  limit: number = limits.outboxBatch,
  leaseMs: number = limits.leaseMs,
  ref?: string,
): Promise<ClaimedMessage[]> {
  const rows = await tx.query<ClaimedMessage>(claim, [kinds, limit, leaseMs, ref ?? null]);
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const finish = {
  name: 'outbox_finish',
  text: `UPDATE outbox SET state = $3::outbox_state, provider_id = coalesce($4, provider_id), last_error = $5,
      in_doubt = CASE $6 WHEN 'unknown' THEN true WHEN 'retry' THEN in_doubt WHEN 'human' THEN in_doubt ELSE false END,
      next_at = assay_now() + $7::bigint * interval '1 millisecond', lease_until = NULL,
      finished_at = CASE WHEN $3 IN ('done', 'failed') THEN assay_now() END
    WHERE id = $1 AND fence = $2 AND state = 'sending' RETURNING kind, op, ref`,
};

/**
 * Stores the outcome; false when the lease was lost to another, and then nothing is stored. A message that failed to
 * leave `limits.outboxAttempts` times waits for a human, and whatever waits for one is written into the audit log: so
 * outcomes that may end so are stored after everything else that a transaction locks.
 */
export async function finishOutbox(
  tx: Tx,
  message: Pick<ClaimedMessage, 'id' | 'fence' | 'attempts'>,
  outcome: SendOutcome,
): Promise<boolean> {
  const again = outcome.kind === 'retry' || outcome.kind === 'unknown';
  const state = again && message.attempts >= limits.outboxAttempts ? 'human' : outcome.kind;
  const error = outcome.kind === 'done' ? null : outcome.error;
  const [stored] = await tx.query<Pick<NewMessage, 'kind' | 'op' | 'ref'>>(finish, [
    message.id,
    message.fence,
    state === 'retry' ? 'ready' : state,
    outcome.kind === 'done' ? outcome.providerId : null,
    error,
    outcome.kind,
    again ? (outcome.afterMs ?? backoffMs(message.attempts)) : 0,
  ]);
  if (stored && state === 'human') {
    const data = { ...stored, error, attempts: message.attempts };
    await addAudit(tx, { actor: 'system', action: 'outbox.held', ref: String(message.id), data });
  }
  return stored !== undefined;
}

/** Doubles from a quarter of a second to ten minutes. */
function backoffMs(attempts: number): number {
  return Math.min(limits.outboxRetryMs * 2 ** Math.min(attempts - 1, 20), limits.outboxRetryMaxMs);
}

/**
 * Puts a message that waits for a human back into the queue, its key and content unchanged; false when it does not wait.
 * Where somebody made sure that its receiver has nothing of it (`isAbsent`), it counts as never sent, so that a key which
 * the receiver has forgotten may be used again; the receiver is asked before all the same.
 */
export async function resumeOutbox(tx: Tx, id: bigint, isAbsent = false): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE outbox SET state = 'unknown', attempts = 0, next_at = assay_now(), in_doubt = true,
        first_sent_at = CASE WHEN $2 THEN NULL ELSE first_sent_at END
      WHERE id = $1 AND state = 'human' RETURNING id`,
    [id, isAbsent],
  );
  return rows.length === 1;
}

/** A message that waits for a person, without its content. */
export interface HeldMessage {
  readonly id: bigint;
  readonly kind: OutboxKind;
  readonly op: string;
  readonly ref: string;
  /** Whether a sending may have had its effect: then the receiver is asked before anything is sent anew. */
  readonly inDoubt: boolean;
  readonly error: string;
  readonly addedAt: Date;
}

/** The messages that wait for a person, by id, after `after`. */
export async function readHeldOutbox(tx: Tx, after: bigint, limit: number): Promise<HeldMessage[]> {
  return tx.query<HeldMessage>(
    `SELECT id, kind, op, ref, in_doubt AS "inDoubt", coalesce(last_error, '') AS error, added_at AS "addedAt"
     FROM outbox WHERE state = 'human' AND id > $1 ORDER BY id LIMIT $2`,
    [after, limit],
  );
}

/** What waits, for operators and metrics. */
export async function outboxDepth(
  tx: Tx,
): Promise<{ kind: OutboxKind; state: string; count: number; oldestMs: number }[]> {
  return tx.query(
    `SELECT kind, state::text, count(*)::int AS count,
       greatest(0, extract(epoch FROM assay_now() - min(added_at)) * 1000)::float8 AS "oldestMs"
     FROM outbox WHERE state NOT IN ('done', 'failed') GROUP BY kind, state ORDER BY kind, state`,
  );
}
