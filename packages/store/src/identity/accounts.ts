/** Accounts of people. */

import { refuse, type AccountId, type Region } from '@assay/core';
import type { Tx } from '../database.ts';

export interface AccountRow {
  readonly id: AccountId;
  /** Lower case. */
  readonly email: string;
  /** Null for an account that signs in by links only. */
  readonly passwordHash: string | null;
  readonly region: Region;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

const columns = 'id, email, password_hash AS "passwordHash", region, roles, created_at AS "createdAt"';

/** Stores an account; refuses `account.exists`. */
export async function addAccount(
  tx: Tx,
  account: Pick<AccountRow, 'id' | 'email' | 'passwordHash' | 'region' | 'roles'>,
): Promise<AccountRow> {
  const { id, email, passwordHash, region, roles } = account;
  const [row] = await tx.query<AccountRow>(
    `INSERT INTO account (id, email, password_hash, region, roles) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (email) DO NOTHING RETURNING ${columns}`,
    [id, email.toLowerCase(), passwordHash, region, roles],
  );
  if (!row) throw refuse('account.exists', 'an account with this e-mail address exists', { email });
  return row;
}

/** The account with an e-mail address in any case. */
export async function findAccountByEmail(tx: Tx, email: string): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>(`SELECT ${columns} FROM account WHERE email = $1`, [email.toLowerCase()]);
  return row;
}

/** What counts the things of an account before it adds one takes turns on this lock, so that none counts past another. */
export async function lockAccount(tx: Tx, id: AccountId): Promise<void> {
  await tx.query('SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE', [id]);
}

/** Changes what an account may do. */
export async function setRoles(tx: Tx, id: AccountId, roles: readonly string[]): Promise<void> {
  await tx.query('UPDATE account SET roles = $2 WHERE id = $1', [id, roles]);
}

/** Puts the hash of another password in place of `from`; false where that is the account's no more. */
export async function replacePasswordHash(tx: Tx, id: AccountId, from: string, to: string): Promise<boolean> {
  const text = 'UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id';
  return (await tx.query(text, [id, from, to])).length > 0;
}
