/** Movements at payment providers. */

import {
  money,
  type AccountId,
  type Currency,
  type JobId,
  type NewTransfer,
  type PayoutId,
  type PayoutShare,
  type TransferBook,
  type TransferChange,
  type TransferId,
  type TransferRow,
} from '@assay/core';
import type { Tx } from '../database.ts';
import { rowSet } from './set-based.ts';

/** The movements of one transaction. */
export function transferBook(tx: Tx): TransferBook {
  return {
    add: (transfer) => addTransfer(tx, transfer),
    find: (id) => one(tx, 'trade.transfer_find', 'id = $1', [id]),
    lock: (id) => one(tx, 'trade.transfer_lock', 'id = $1 FOR NO KEY UPDATE', [id]),
    findByProvider: (region, kind, providerId) =>
      one(tx, 'trade.transfer_by_provider', 'region = $1 AND kind = $2 AND provider_id = $3', [
        region,
        kind,
        providerId,
      ]),
    change: (id, change) => changeTransfer(tx, id, change),
    ofJob: (job) => many(tx, 'trade.transfer_of_job', 'WHERE job_id = $1 ORDER BY id', [job]),
    sharesOf: (payout) => sharesOf(tx, payout),
    underWay: (ageMs, limit) => underWay(tx, ageMs, limit),
  };
}

const shareRows = rowSet<PayoutShare>({
  job: ['text', (share) => share.job],
  amount: ['bigint', (share) => share.amount.minor],
});

async function addTransfer(tx: Tx, transfer: NewTransfer): Promise<void> {
  const { id, kind, region, party, amount } = transfer;
  const isPayment = kind === 'payment';
  const isRefund = kind === 'refund';
  await tx.query(
    {
      name: 'trade.transfer_add',
      text: `INSERT INTO transfer (id, kind, region, party_id, currency, amount, job_id, attempt, method, payment_id,
          reason, destination) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    },
    [
      id,
      kind,
      region,
      party,
      amount.currency,
      amount.minor,
      kind === 'payout' ? null : transfer.job,
      isPayment ? transfer.attempt : 1,
      isPayment ? transfer.method : null,
      isRefund ? transfer.payment : null,
      isRefund ? transfer.reason : null,
      kind === 'payout' ? transfer.destination : null,
    ],
  );
  if (kind !== 'payout') return;
  await tx.query(
    `INSERT INTO payout_share (transfer_id, job_id, amount)
     SELECT $1, * FROM ${shareRows.table(2)} AS one`,
    [id, ...shareRows.values(transfer.shares)],
  );
}

async function changeTransfer(tx: Tx, id: TransferId, change: TransferChange): Promise<void> {
  const columns: Record<string, unknown> = {
    state: change.state,
    provider_id: change.providerId,
    action: change.action,
    received: change.received?.minor,
    received_currency: change.received?.currency,
    fee: change.fee?.minor,
    booked_as: change.bookedAs,
    failure: change.failure,
  };
  const set = Object.entries(columns).filter(([, value]) => value !== undefined);
  const text = set.map(([column], index) => `${column} = $${index + 2}`).join(', ');
  await tx.query(`UPDATE transfer SET ${text}, changed_at = assay_now(), checked_at = assay_now() WHERE id = $1`, [
    id,
    ...set.map(([, value]) => value),
  ]);
}

async function sharesOf(tx: Tx, payout: PayoutId): Promise<(PayoutShare & { readonly customer: AccountId })[]> {
  const rows = await tx.query<{ job: JobId; customer: AccountId; amount: bigint; currency: Currency }>(
    `SELECT s.job_id AS job, j.customer_id AS customer, s.amount, t.currency
     FROM payout_share s JOIN transfer t ON t.id = s.transfer_id JOIN job j ON j.id = s.job_id
     WHERE s.transfer_id = $1 ORDER BY s.job_id`,
    [payout],
  );
  return rows.map(({ job, customer, amount, currency }) => ({ job, customer, amount: money(currency, amount) }));
}

/**
 * Each one that is handed out counts as asked about, so that two servers do not ask at once; the pauses grow with the time
 * in which nothing changed, up to a day.
 */
const asked = {
  name: 'trade.transfer_ask',
  text: `UPDATE transfer SET checked_at = assay_now() WHERE id IN (SELECT id FROM transfer
      WHERE state IN ('pending', 'requires_action', 'in_transit') AND provider_id IS NOT NULL
        AND checked_at <= assay_now() - least(interval '1 day',
          greatest($1::bigint * interval '1 millisecond', (checked_at - changed_at) / 4))
      ORDER BY checked_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id`,
};

async function underWay(tx: Tx, ageMs: number, limit: number): Promise<readonly TransferRow[]> {
  const taken = await tx.query<{ id: TransferId }>(asked, [ageMs, limit]);
  return await many(tx, 'trade.transfer_list', 'WHERE id = ANY($1) ORDER BY id', [taken.map((row) => row.id)]);
}

interface Row extends Omit<TransferRow, 'amount' | 'received'> {
  readonly currency: Currency;
  readonly amount: bigint;
  readonly received: bigint | null;
  readonly receivedCurrency: Currency | null;
}

const columns = `id, kind, region, party_id AS party, job_id AS job, state, currency, amount, attempt, method, action,
  received, received_currency AS "receivedCurrency", booked_as AS "bookedAs", payment_id AS payment, reason,
  destination, provider_id AS "providerId", failure`;

async function many(tx: Tx, name: string, rest: string, values: readonly unknown[]): Promise<TransferRow[]> {
  const rows = await tx.query<Row>({ name, text: `SELECT ${columns} FROM transfer ${rest}` }, values);
  return rows.map(({ currency, amount, received, receivedCurrency, ...row }) => ({
    ...row,
    amount: money(currency, amount),
    received: received === null ? null : money(receivedCurrency ?? currency, received),
  }));
}

async function one(
  tx: Tx,
  name: string,
  condition: string,
  values: readonly string[],
): Promise<TransferRow | undefined> {
  return (await many(tx, name, `WHERE ${condition}`, values))[0];
}
