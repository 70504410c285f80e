/** Signed-in browsers and links that sign in once; secrets are found by their hashes. */

import { refuse, type AccountId, type Region, type SessionId } from '@assay/core';
import type { Tx } from '../database.ts';

/** Who a secret belongs to. */
export interface Bearer {
  readonly account: AccountId;
  readonly email: string;
  readonly region: Region;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

export interface SessionRow extends Bearer {
  readonly id: SessionId;
  readonly expiresAt: Date;
}

const bearer = 'a.id AS account, a.email, a.region, a.roles, a.created_at AS "createdAt"';

export interface NewSession {
  readonly id: SessionId;
  readonly account: AccountId;
  readonly tokenHash: string;
  readonly lifeMs: number;
  /** What signs in, in our own words. */
  readonly client: string;
  /** What was found right; null for a sign-in that needed no password. */
  readonly passwordHash: string | null;
}

/**
 * Stores a session and returns when it ends; undefined where the password was changed since it was found right. The lock
 * has a change that is under way come first, or see this session when it ends all.
 */
export async function addSession(tx: Tx, session: NewSession): Promise<Date | undefined> {
  const { id, account, tokenHash, lifeMs, client, passwordHash } = session;
  const [row] = await tx.query<{ expiresAt: Date }>(
    `INSERT INTO session (id, account_id, token_hash, expires_at, client)
     SELECT $1, id, $3, assay_now() + $4 * interval '1 millisecond', $6 FROM account
     WHERE id = $2 AND ($5::text IS NULL OR password_hash = $5) FOR SHARE RETURNING expires_at AS "expiresAt"`,
    [id, account, tokenHash, lifeMs, passwordHash, client],
  );
  return row?.expiresAt;
}

// The time of use is written once a minute at most, so that not each call writes.
const find = {
  name: 'find-session',
  text: `WITH used AS (UPDATE session SET last_used_at = assay_now() WHERE token_hash = $1
      AND expires_at > assay_now() AND last_used_at < assay_now() - interval '1 minute')
    SELECT s.id, s.expires_at AS "expiresAt", ${bearer} FROM session s JOIN account a ON a.id = s.account_id
    WHERE s.token_hash = $1 AND s.expires_at > assay_now()`,
};

/** The session that is not over; notes that it was used. */
export async function findSession(tx: Tx, tokenHash: string): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(find, [tokenHash]);
  return row;
}

/** Ends a session, and forgets those of anybody that are over. */
export async function endSession(tx: Tx, id: SessionId): Promise<void> {
  await tx.query('DELETE FROM session WHERE id = $1 OR expires_at <= assay_now()', [id]);
}

/** A session as its account sees it. */
export interface SessionView {
  readonly id: SessionId;
  readonly client: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

/** The account's sessions that are not over, newest first; those before `after`. */
export function readSessions(tx: Tx, account: AccountId, after: string | null, limit: number): Promise<SessionView[]> {
  return tx.query<SessionView>(
    `SELECT id, client, created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt" FROM session
     WHERE account_id = $1 AND expires_at > assay_now() AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [account, after, limit],
  );
}

/** Ends a session of the account; refuses `session.not_found`. */
export async function endSessionOf(tx: Tx, account: AccountId, id: SessionId): Promise<void> {
  const text = 'DELETE FROM session WHERE id = $1 AND account_id = $2 AND expires_at > assay_now() RETURNING id';
  const rows = await tx.query(text, [id, account]);
  if (rows.length === 0) throw refuse('session.not_found', 'no such session', { id });
}

/** Ends the account's sessions but `keep`, and its links that were not used yet; how many sessions. */
export async function endOtherSessions(tx: Tx, account: AccountId, keep: SessionId | null): Promise<number> {
  await tx.query('DELETE FROM sign_in_ticket WHERE account_id = $1', [account]);
  const text = 'DELETE FROM session WHERE account_id = $1 AND ($2::text IS NULL OR id <> $2) RETURNING id';
  return (await tx.query(text, [account, keep])).length;
}

/** Stores a link that signs in once, within `lifeMs`. */
export async function addTicket(
  tx: Tx,
  ticket: { readonly account: AccountId; readonly tokenHash: string; readonly lifeMs: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO sign_in_ticket (token_hash, account_id, expires_at)
     VALUES ($1, $2, assay_now() + $3 * interval '1 millisecond')`,
    [ticket.tokenHash, ticket.account, ticket.lifeMs],
  );
}

/** Uses a ticket up; undefined where there is none that is still good. */
export async function takeTicket(tx: Tx, tokenHash: string): Promise<Bearer | undefined> {
  const [row] = await tx.query<Bearer>(
    `WITH taken AS (DELETE FROM sign_in_ticket WHERE token_hash = $1 RETURNING account_id, expires_at)
     SELECT ${bearer} FROM taken JOIN account a ON a.id = taken.account_id WHERE taken.expires_at > assay_now()`,
    [tokenHash],
  );
  return row;
}
