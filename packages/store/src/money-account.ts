/** The accounts of the journal: who they belong to, and finding or opening them by name. */

import { type Currency, type Money, money } from '@assay/core';
import type { Tx } from './database.ts';

/** What an account of the journal holds; the table `money_flow` says what may flow between them. */
export type MoneyAccountKind =
  | 'psp_asset'
  | 'escrow'
  | 'worker_payable'
  | 'payout_in_flight'
  | 'refund_in_flight'
  | 'customer_credit'
  | 'commission'
  | 'psp_fee'
  | 'chargeback_receivable'
  | 'loss'
  | 'fx_clearing'
  | 'suspense';

/** An account's name; with the currency of an amount it is one account. */
export interface AccountRef {
  readonly kind: MoneyAccountKind;
  /** The job, account, payout, refund or payment provider that it belongs to. */
  readonly ref: string;
}

/** A name and a currency: one row. */
export interface AccountName extends AccountRef {
  readonly currency: Currency;
}

/** The key of one account among many. */
export function accountKey({ kind, ref, currency }: AccountName): string {
  return `${kind}:${ref}:${currency}`;
}

interface FoundAccount extends AccountName {
  readonly id: bigint;
}

const find = {
  name: 'money_account_find',
  text: `SELECT a.id, a.kind, a.ref, a.currency FROM money_account a
    JOIN unnest($1::money_account_kind[], $2::text[], $3::text[]) AS n (kind, ref, currency) USING (kind, ref, currency)`,
};

// Ordered, so that two transactions that open the same accounts queue and do not deadlock.
const open = {
  name: 'money_account_open',
  text: `INSERT INTO money_account (kind, ref, currency)
    SELECT kind, ref, currency FROM unnest($1::money_account_kind[], $2::text[], $3::text[]) AS n (kind, ref, currency)
    ORDER BY kind, ref, currency ON CONFLICT DO NOTHING`,
};

/** The ids of the accounts by key; those that are missing are opened, empty. */
export async function resolveAccounts(tx: Tx, names: readonly AccountName[]): Promise<ReadonlyMap<string, bigint>> {
  const wanted = [...new Map(names.map((name) => [accountKey(name), name])).values()];
  const ids = await findAccounts(tx, wanted);
  const missing = wanted.filter((name) => !ids.has(accountKey(name)));
  if (missing.length === 0) return ids;
  await tx.query(open, columns(missing));
  return new Map([...ids, ...(await findAccounts(tx, missing))]);
}

async function findAccounts(tx: Tx, names: readonly AccountName[]): Promise<Map<string, bigint>> {
  const rows = await tx.query<FoundAccount>(find, columns(names));
  return new Map(rows.map((row) => [accountKey(row), row.id]));
}

function columns(names: readonly AccountName[]): string[][] {
  return [names.map((name) => name.kind), names.map((name) => name.ref), names.map((name) => name.currency)];
}

const balance = {
  name: 'money_account_balance',
  text: `SELECT CASE WHEN guarded THEN credits - debits ELSE
      coalesce((SELECT sum(amount) FROM posting WHERE credit_id = a.id), 0)
      - coalesce((SELECT sum(amount) FROM posting WHERE debit_id = a.id), 0) END::bigint AS balance
    FROM money_account a WHERE kind = $1::money_account_kind AND ref = $2 AND currency = $3`,
};

/**
 * Credits less debits: what we owe is positive in accounts like `escrow`; in `psp_asset`, which is money that we have,
 * it is negative. An account that nobody opened holds zero.
 */
export async function balanceOf(tx: Tx, account: AccountRef, currency: Currency): Promise<Money> {
  const [row] = await tx.query<{ balance: bigint }>(balance, [account.kind, account.ref, currency]);
  return money(currency, row?.balance ?? 0n);
}
