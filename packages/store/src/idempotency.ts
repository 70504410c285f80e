/** One effect and one answer for an unsafe call, however often it is repeated under its key. */

import { assert, limits, refuse } from '@assay/core';
import type { Database, Tx } from './database.ts';

/** Which call this is: the caller's scope, its key and what it asked. */
export interface IdempotentCall {
  /** Who calls what, as `acc_…:POST /jobs`. */
  readonly scope: string;
  readonly key: string;
  /** A hash over what was asked; the same key for another question is refused. */
  readonly requestHash: string;
}

/** The answer of the first call, to be given again. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Either the call is ours to run, or it ran and this was its answer. */
export type BegunCall =
  | { readonly kind: 'run'; readonly fence: bigint }
  | { readonly kind: 'answered'; readonly response: StoredResponse };

interface CallRow {
  readonly requestHash: string;
  readonly response: StoredResponse | null;
}

/**
 * Takes the key for `leaseMs`. Refuses `idempotency.in_progress` while another run holds it and `idempotency.key_reused`
 * for another question. A run whose process died is taken over after its lease, so what it calls must bear repeating.
 */
export async function beginCall(
  db: Database,
  call: IdempotentCall,
  leaseMs: number = limits.idempotencyLeaseMs,
): Promise<BegunCall> {
  const { scope, key, requestHash } = call;
  const { idempotencyKeyMinChars: min, idempotencyKeyMaxChars: max } = limits;
  if (key.length < min || key.length > max) {
    throw refuse('idempotency.key_missing', `an idempotency key has ${min} to ${max} characters`, {});
  }
  return db.transaction(async (tx) => {
    const [taken] = await tx.query<{ fence: bigint }>(
      {
        name: 'idempotency_take',
        text: `INSERT INTO idempotency AS i (scope, key, request_hash, lease_until)
          VALUES ($1, $2, $3, assay_now() + $4::bigint * interval '1 millisecond')
          ON CONFLICT (scope, key) DO UPDATE SET fence = i.fence + 1, lease_until = excluded.lease_until
            WHERE i.response IS NULL AND i.lease_until <= assay_now() AND i.request_hash = excluded.request_hash
          RETURNING fence`,
      },
      [scope, key, requestHash, leaseMs],
    );
    if (taken) return { kind: 'run', fence: taken.fence };
    const [row] = await tx.query<CallRow>(
      `SELECT request_hash AS "requestHash", response
       FROM idempotency WHERE scope = $1 AND key = $2`,
      [scope, key],
    );
    if (row && row.requestHash !== requestHash) {
      throw refuse('idempotency.key_reused', 'the idempotency key was used for another request', { key });
    }
    if (row?.response) return { kind: 'answered', response: row.response };
    throw refuse('idempotency.in_progress', 'a request with this idempotency key is still running', { key });
  });
}

/** Stores the answer; false when the lease was lost to another run, whose answer will count. */
export async function finishCall(
  tx: Tx,
  call: IdempotentCall,
  fence: bigint,
  response: StoredResponse,
): Promise<boolean> {
  assert(response.status >= 200 && response.status < 600, 'a final HTTP status');
  const rows = await tx.query(
    {
      name: 'idempotency_finish',
      text: `UPDATE idempotency SET response = $4 WHERE scope = $1 AND key = $2 AND fence = $3 AND response IS NULL
        RETURNING key`,
    },
    [call.scope, call.key, fence, JSON.stringify(response)],
  );
  return rows.length === 1;
}

/** Gives the key back after a fault, so that the caller may try again at once. */
export async function abandonCall(tx: Tx, call: IdempotentCall, fence: bigint): Promise<void> {
  await tx.query('DELETE FROM idempotency WHERE scope = $1 AND key = $2 AND fence = $3 AND response IS NULL', [
    call.scope,
    call.key,
    fence,
  ]);
}

/** Forgets calls older than `limits.idempotencyKeepMs`; how many. */
export async function pruneCalls(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM idempotency WHERE at < assay_now() - $1::bigint * interval '1 millisecond' AND lease_until < assay_now()
     RETURNING 1`,
    [limits.idempotencyKeepMs],
  );
  return rows.length;
}
