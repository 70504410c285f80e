/** Registering devices and the accounts that their owners are paid to. */

import { limits, refuse, type AccountId, type Region, type WorkerId } from '@assay/core';
import type { Database, Tx } from '../database.ts';
import { lockAccount } from './accounts.ts';

export interface NewWorker {
  readonly id: WorkerId;
  readonly owner: AccountId;
  /** ed25519, hex. */
  readonly publicKey: string;
  readonly name: string;
  readonly machine: object;
  readonly region: Region;
}

/**
 * Registers a device. The same key of the same owner keeps its worker, with the name and machine as told now. Refuses
 * `worker.exists` for the key of somebody else, `worker.removed` for that of a worker which was removed, and
 * `worker.too_many` for one more than an account may have, also where several ask at once.
 */
export function registerWorker(db: Database, worker: NewWorker): Promise<WorkerId> {
  const { id, owner, publicKey, name, machine, region } = worker;
  return db.transaction(async (tx) => {
    await lockAccount(tx, owner);
    await checkPlace(tx, owner, publicKey);
    const [row] = await tx.query<{ id: WorkerId }>(
      `INSERT INTO worker (id, owner_id, public_key, name, machine, region) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (public_key) DO UPDATE SET name = excluded.name, machine = excluded.machine
         WHERE worker.owner_id = excluded.owner_id
       RETURNING id`,
      [id, owner, publicKey, name, JSON.stringify(machine), region],
    );
    if (!row) throw refuse('worker.exists', 'a worker with this device key exists', {});
    return row.id;
  });
}

/** A removed worker keeps its place while it holds replicas: else removing would free what the bound is there for. */
async function checkPlace(tx: Tx, owner: AccountId, publicKey: string): Promise<void> {
  const [found] = await tx.query<{ others: bigint; present: boolean | null }>(
    `SELECT count(*) FILTER (WHERE public_key <> $2 AND (removed_at IS NULL OR held <> '{}')) AS others,
       bool_or(removed_at IS NULL) FILTER (WHERE public_key = $2) AS present
     FROM worker LEFT JOIN desk ON worker_id = id WHERE owner_id = $1`,
    [owner, publicKey],
  );
  if (found?.present === false) throw refuse('worker.removed', 'this device was removed: give it a new key', {});
  const most = limits.workersPerAccount;
  if (found === undefined || found.present === true || found.others < most) return;
  const what = `this account has ${most} workers, as many as it may (removed ones count while they hold replicas)`;
  throw refuse('worker.too_many', `${what}: remove one that works no more, as with assay workers remove`, { most });
}

/**
 * Takes a worker of the account off the market: it is answered as if it were not there, and what it holds is lost in a
 * minute. Refuses `worker.not_found`.
 */
export async function removeWorker(tx: Tx, owner: AccountId, id: WorkerId): Promise<void> {
  const rows = await tx.query(
    'UPDATE worker SET removed_at = assay_now() WHERE id = $1 AND owner_id = $2 AND removed_at IS NULL RETURNING id',
    [id, owner],
  );
  if (rows.length === 0) throw refuse('worker.not_found', 'no such worker', { id });
}

export interface PayoutAccountRow {
  readonly region: Region;
  readonly destination: string;
  readonly createdAt: Date;
}

const payoutColumns = 'region, destination, created_at AS "createdAt"';

/** The account in use, or undefined. */
export async function findPayoutAccount(
  tx: Tx,
  account: AccountId,
  region: Region,
): Promise<PayoutAccountRow | undefined> {
  const [row] = await tx.query<PayoutAccountRow>(
    `SELECT ${payoutColumns} FROM payout_account WHERE account_id = $1 AND region = $2 AND disabled_at IS NULL`,
    [account, region],
  );
  return row;
}

/**
 * The account at the payment provider that was disabled only because its owner had not yet told the provider what it
 * asks: a new one would lack the same. Undefined where there is none.
 */
export async function findUnfinishedDestination(
  tx: Tx,
  account: AccountId,
  region: Region,
): Promise<string | undefined> {
  const [row] = await tx.query<{ destination: string; reason: string }>(
    `SELECT destination, disabled_reason AS reason FROM payout_account
     WHERE account_id = $1 AND region = $2 AND disabled_at IS NOT NULL ORDER BY disabled_at DESC LIMIT 1`,
    [account, region],
  );
  return row?.reason === 'insufficient_capabilities_for_transfer' ? row.destination : undefined;
}

/** Stores the account that is paid to from now on; one that was stored meanwhile stays. */
export async function addPayoutAccount(
  tx: Tx,
  entry: { readonly id: string; readonly account: AccountId; readonly region: Region; readonly destination: string },
): Promise<PayoutAccountRow | undefined> {
  await tx.query(
    `INSERT INTO payout_account (id, account_id, region, destination) VALUES ($1, $2, $3, $4)
     ON CONFLICT (account_id, region) WHERE disabled_at IS NULL DO NOTHING`,
    [entry.id, entry.account, entry.region, entry.destination],
  );
  return findPayoutAccount(tx, entry.account, entry.region);
}
