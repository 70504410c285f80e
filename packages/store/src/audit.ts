/** Who did what: append-only and chained by hashes, so that a changed, missing or added line shows. */

import type { Tx } from './database.ts';

/** Something that somebody did. */
export interface AuditEvent {
  /** An account, worker, API key or `system`. */
  readonly actor: string;
  /** What was done, as `dispute.resolve`. */
  readonly action: string;
  /** What it was done to. */
  readonly ref: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A line of the log. */
export interface AuditLine extends AuditEvent {
  readonly id: bigint;
  readonly at: Date;
  /** Hex. */
  readonly hash: string;
}

/** Appends a line. Lines queue until commit, so this comes last in a transaction. */
export async function addAudit(tx: Tx, event: AuditEvent): Promise<void> {
  await tx.query(
    { name: 'audit_add', text: 'INSERT INTO audit_log (actor, action, ref, data) VALUES ($1, $2, $3, $4)' },
    [event.actor, event.action, event.ref, JSON.stringify(event.data)],
  );
}

/** Lines after `after` in order, up to `limit`; all, or those about `ref`. */
export async function readAudit(tx: Tx, after: bigint, limit: number, ref?: string): Promise<AuditLine[]> {
  return tx.query<AuditLine>(
    `SELECT id, at, actor, action, ref, data, encode(hash, 'hex') AS hash FROM audit_log
     WHERE id > $1 AND ($3::text IS NULL OR ref = $3) ORDER BY id LIMIT $2`,
    [after, limit, ref],
  );
}

/**
 * The first line that does not follow from the one before, or undefined when the whole chain holds. `head` is what an
 * auditor kept: a log cut short after it no longer contains it.
 */
export async function findAuditBreak(tx: Tx, head?: { id: bigint; hash: string }): Promise<bigint | undefined> {
  const [broken] = await tx.query<{ id: bigint }>(
    `SELECT id FROM (SELECT line.id, line.previous_hash, line.hash, audit_hash(line) AS right_hash,
         lag(line.hash, 1, sha256('')) OVER (ORDER BY line.id) AS right_previous,
         lag(line.id, 1, 0::bigint) OVER (ORDER BY line.id) + 1 AS right_id FROM audit_log AS line) AS chain
     WHERE hash <> right_hash OR previous_hash <> right_previous OR id <> right_id ORDER BY id LIMIT 1`,
  );
  if (broken || !head) return broken?.id;
  const [kept] = await tx.query(`SELECT FROM audit_log WHERE id = $1 AND encode(hash, 'hex') = $2`, [
    head.id,
    head.hash,
  ]);
  return kept ? undefined : head.id;
}
