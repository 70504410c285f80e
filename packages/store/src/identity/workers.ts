/** Registering devices and the accounts that their owners are paid to. */

import { refuse, type AccountId, type Region, type WorkerId } from '@assay/core';
import type { Tx } from '../database.ts';

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
 * Registers a device. The same key of the same owner keeps its worker, with the name and machine as told now; the key of
 * somebody else refuses `worker.exists`.
 */
export async function registerWorker(tx: Tx, worker: NewWorker): Promise<WorkerId> {
  const { id, owner, publicKey, name, machine, region } = worker;
  const [row] = await tx.query<{ id: WorkerId }>(
    `INSERT INTO worker (id, owner_id, public_key, name, machine, region) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (public_key) DO UPDATE SET name = excluded.name, machine = excluded.machine
       WHERE worker.owner_id = excluded.owner_id
     RETURNING id`,
    [id, owner, publicKey, name, JSON.stringify(machine), region],
  );
  if (!row) throw refuse('worker.exists', 'a worker with this device key exists', {});
  return row.id;
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
