/** Signed-in browsers and links that sign in once; secrets are found by their hashes. */

import type { AccountId, Region, SessionId } from '@assay/core';
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

/** Stores a session of `lifeMs` and returns when it ends. */
export async function addSession(
  tx: Tx,
  session: { readonly id: SessionId; readonly account: AccountId; readonly tokenHash: string; readonly lifeMs: number },
): Promise<Date> {
  const rows = await tx.query<{ expiresAt: Date }>(
    `INSERT INTO session (id, account_id, token_hash, expires_at)
     VALUES ($1, $2, $3, assay_now() + $4 * interval '1 millisecond') RETURNING expires_at AS "expiresAt"`,
    [session.id, session.account, session.tokenHash, session.lifeMs],
  );
  return rows[0]?.expiresAt ?? new Date(0);
}

const find = {
  name: 'find-session',
  text: `SELECT s.id, s.expires_at AS "expiresAt", ${bearer} FROM session s JOIN account a ON a.id = s.account_id
    WHERE s.token_hash = $1 AND s.expires_at > assay_now()`,
};

/** The session that is not over. */
export async function findSession(tx: Tx, tokenHash: string): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(find, [tokenHash]);
  return row;
}

/** Ends a session, and forgets those of anybody that are over. */
export async function endSession(tx: Tx, id: SessionId): Promise<void> {
  await tx.query('DELETE FROM session WHERE id = $1 OR expires_at <= assay_now()', [id]);
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
