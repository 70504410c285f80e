/** Who may not order, and who may not work: accounts and workers that were banned, and the end of a ban. */

import type { AccountId, WorkerId } from '@assay/core';
import type { Tx } from '../database.ts';

export interface BanRow {
  readonly subject: AccountId | WorkerId;
  readonly reason: string;
  readonly bannedAt: Date;
}

/** What a ban found: nobody of that name, somebody who is banned already and stays so, or somebody to ban. */
export type BanOutcome = 'unknown' | 'already' | 'banned';

/** Bans an account from ordering, or a worker from working. */
export async function ban(tx: Tx, subject: AccountId | WorkerId, reason: string): Promise<BanOutcome> {
  const table = tableOf(subject);
  const fresh = await tx.query(
    `UPDATE ${table} SET banned_at = assay_now(), ban_reason = $2 WHERE id = $1 AND banned_at IS NULL RETURNING id`,
    [subject, reason],
  );
  if (fresh.length > 0) return 'banned';
  const known = await tx.query(`SELECT FROM ${table} WHERE id = $1`, [subject]);
  return known.length > 0 ? 'already' : 'unknown';
}

function tableOf(subject: AccountId | WorkerId): 'account' | 'worker' {
  return subject.startsWith('acc_') ? 'account' : 'worker';
}

/** Whether there was a ban to lift. */
export async function liftBan(tx: Tx, subject: AccountId | WorkerId): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE ${tableOf(subject)} SET banned_at = NULL, ban_reason = NULL WHERE id = $1 AND banned_at IS NOT NULL RETURNING id`,
    [subject],
  );
  return rows.length > 0;
}

/** Why an account may not order; undefined where it may. */
export async function accountBan(tx: Tx, id: AccountId): Promise<string | undefined> {
  const rows = await tx.query<{ reason: string }>(
    {
      name: 'account_ban',
      text: 'SELECT ban_reason AS reason FROM account WHERE id = $1 AND banned_at IS NOT NULL',
    },
    [id],
  );
  return rows[0]?.reason;
}

/** Bans by subject, after `after`. */
export async function readBans(tx: Tx, after: string | null, limit: number): Promise<BanRow[]> {
  return tx.query<BanRow>(
    `SELECT * FROM (SELECT id AS subject, ban_reason AS reason, banned_at AS "bannedAt" FROM account
        WHERE banned_at IS NOT NULL
      UNION ALL SELECT id, ban_reason, banned_at FROM worker WHERE banned_at IS NOT NULL) AS ban
     WHERE $1::text IS NULL OR subject > $1 ORDER BY subject LIMIT $2`,
    [after, limit],
  );
}
