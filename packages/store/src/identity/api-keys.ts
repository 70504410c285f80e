/** Keys of programs. */

import { limits, refuse, type AccountId, type ApiKeyId } from '@assay/core';
import type { Database, Tx } from '../database.ts';
import { lockAccount } from './accounts.ts';
import type { Bearer } from './sessions.ts';

export interface ApiKeyRow {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

const columns = 'id, name, scopes, created_at AS "createdAt", last_used_at AS "lastUsedAt"';

export interface NewApiKey {
  readonly id: ApiKeyId;
  readonly account: AccountId;
  readonly name: string;
  readonly keyHash: string;
  readonly scopes: readonly string[];
}

/** Stores a key; refuses `api_key.too_many` for one more than an account may have, also where several ask at once. */
export function addApiKey(db: Database, key: NewApiKey): Promise<ApiKeyRow> {
  const { id, account, name, keyHash, scopes } = key;
  return db.transaction(async (tx) => {
    await lockAccount(tx, account);
    const [row] = await tx.query<ApiKeyRow>(
      `INSERT INTO api_key (id, account_id, name, key_hash, scopes) SELECT $1, $2, $3, $4, $5
       WHERE (SELECT count(*) FROM api_key WHERE account_id = $2) < $6 RETURNING ${columns}`,
      [id, account, name, keyHash, scopes, limits.apiKeysPerAccount],
    );
    if (row) return row;
    const most = limits.apiKeysPerAccount;
    const what = `this account has ${most} API keys, as many as it may`;
    throw refuse('api_key.too_many', `${what}: revoke one that is used no more, as with assay keys revoke`, { most });
  });
}

/** The keys of an account, oldest first. */
export function listApiKeys(tx: Tx, account: AccountId): Promise<ApiKeyRow[]> {
  return tx.query<ApiKeyRow>(`SELECT ${columns} FROM api_key WHERE account_id = $1 ORDER BY id`, [account]);
}

/** Removes a key of the account; refuses `api_key.not_found`. */
export async function removeApiKey(tx: Tx, account: AccountId, id: ApiKeyId): Promise<void> {
  const rows = await tx.query('DELETE FROM api_key WHERE id = $1 AND account_id = $2 RETURNING id', [id, account]);
  if (rows.length === 0) throw refuse('api_key.not_found', 'no such API key', { id });
}

/** A key with the account behind it. */
export interface KnownApiKey extends Bearer {
  readonly id: ApiKeyId;
  readonly scopes: readonly string[];
}

// The time of use is written once a minute at most, so that a busy key does not write on each call.
const find = {
  name: 'find-api-key',
  text: `WITH used AS (UPDATE api_key SET last_used_at = assay_now() WHERE key_hash = $1
      AND (last_used_at IS NULL OR last_used_at < assay_now() - interval '1 minute'))
    SELECT k.id, k.scopes, a.id AS account, a.email, a.region, a.roles, a.created_at AS "createdAt"
    FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.key_hash = $1`,
};

/** The key with this hash; notes that it was used. */
export async function findApiKey(tx: Tx, keyHash: string): Promise<KnownApiKey | undefined> {
  const [row] = await tx.query<KnownApiKey>(find, [keyHash]);
  return row;
}
