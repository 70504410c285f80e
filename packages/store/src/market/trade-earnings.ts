/** What providers of work earned, are owed and are paid to. */

import {
  money,
  type AccountId,
  type Currency,
  type Debt,
  type Earning,
  type EarningBook,
  type JobId,
  type Money,
  type Payee,
  type Region,
  type WorkerRecord,
} from '@assay/core';
import type { Tx } from '../database.ts';
import { addReputation } from '../identity/worker-standing.ts';
import { rowSet } from './set-based.ts';

/** The earnings of one transaction. */
export function earningBook(tx: Tx): EarningBook {
  return {
    records: (job) => tx.query<WorkerRecord>(records, [job]),
    remember: (ended) =>
      addReputation(
        tx,
        ended.map(({ worker, agreed, disagreed, lost }) => ({ id: worker, agreed, disagreed, lost })),
      ),
    lockTurnover: (accounts, currency, atMs) => lockTurnover(tx, accounts, currency, atMs),
    add: (earnings, atMs) => addEarnings(tx, earnings, atMs),
    owe: (debts, delayMs) => owe(tx, debts, delayMs),
    payees: (limit, regions) => payees(tx, limit, regions),
    async postpone(payee, jobs, delayMs) {
      await tx.query(
        `UPDATE payable SET due_at = assay_now() + $3::bigint * interval '1 millisecond'
         WHERE payee_id = $1 AND job_id = ANY($2)`,
        [payee, jobs, delayMs],
      );
    },
    async take(payee, jobs) {
      await tx.query('DELETE FROM payable WHERE payee_id = $1 AND job_id = ANY($2)', [payee, jobs]);
    },
    async disableDestination(payee, destination, why) {
      await tx.query(
        `UPDATE payout_account SET disabled_at = assay_now(), disabled_reason = $3
         WHERE account_id = $1 AND destination = $2 AND disabled_at IS NULL`,
        [payee, destination, why],
      );
    },
  };
}

// An array, and not a join: the statistics know nothing of a job that has just run, and a wrong guess costs minutes.
const unitsOfJob = 'ARRAY(SELECT id FROM unit WHERE job_id = $1)';

const records = {
  name: 'trade.records',
  text: `SELECT r.worker_id AS worker, r.owner_id AS owner,
      count(*) FILTER (WHERE r.state = 'agreed')::int AS agreed,
      count(*) FILTER (WHERE r.state = 'disagreed')::int AS disagreed,
      count(*) FILTER (WHERE r.state = 'lost')::int AS lost
    FROM replica r WHERE r.unit_id = ANY (${unitsOfJob})
    GROUP BY r.worker_id, r.owner_id ORDER BY r.worker_id`,
};

/** SQL: the time of milliseconds, and the month of UTC that it is in: one for a settlement, whatever the clock does. */
const timeOf = (parameter: string) => `to_timestamp(${parameter}::float8 / 1000)`;
const monthOf = (parameter: string) => `date_trunc('month', ${timeOf(parameter)} AT TIME ZONE 'UTC')::date`;

/** Rows that are missing are made first, in order, so that two settlements queue instead of deadlocking. */
async function lockTurnover(
  tx: Tx,
  accounts: readonly AccountId[],
  currency: Currency,
  atMs: number,
): Promise<ReadonlyMap<AccountId, Money>> {
  const opened = tx.query(
    {
      name: 'trade.turnover_open',
      text: `INSERT INTO turnover (provider_id, month, currency)
        SELECT provider, ${monthOf('$3')}, $2 FROM unnest($1::text[]) AS one (provider) ORDER BY provider
        ON CONFLICT DO NOTHING`,
    },
    [accounts, currency, atMs],
  );
  const locked = tx.query<{ payee: AccountId; gross: bigint }>(
    {
      name: 'trade.turnover_lock',
      text: `SELECT provider_id AS payee, gross FROM turnover
        WHERE provider_id = ANY($1) AND month = ${monthOf('$3')} AND currency = $2 ORDER BY provider_id FOR NO KEY UPDATE`,
    },
    [accounts, currency, atMs],
  );
  const [rows] = await Promise.all([locked, opened]);
  return new Map(rows.map((row) => [row.payee, money(currency, row.gross)]));
}

type JobEarning = Earning & { readonly job: JobId };

const earningRows = rowSet<JobEarning>({
  job: ['text', (one) => one.job],
  provider: ['text', (one) => one.payee],
  replicas: ['int', (one) => one.replicas],
  gross: ['bigint', (one) => one.gross.minor],
  commission: ['bigint', (one) => one.commission.minor],
  currency: ['text', (one) => one.gross.currency],
});

const insertEarnings = {
  name: 'trade.earnings_add',
  text: `INSERT INTO earning (job_id, provider_id, replicas, gross, commission, currency, at)
    SELECT job, provider, replicas, gross, commission, currency, ${timeOf('$1')} FROM ${earningRows.table(2)} AS one`,
};

const addTurnover = {
  name: 'trade.turnover_add',
  text: `UPDATE turnover t SET gross = t.gross + one.gross
    FROM (SELECT provider, currency, sum(gross)::bigint AS gross FROM ${earningRows.table(2)} AS one
      GROUP BY provider, currency) AS one
    WHERE t.provider_id = one.provider AND t.month = ${monthOf('$1')} AND t.currency = one.currency::char(3)`,
};

async function addEarnings(tx: Tx, earnings: readonly JobEarning[], atMs: number): Promise<void> {
  if (earnings.length === 0) return;
  const rows = [atMs, ...earningRows.values(earnings)];
  await Promise.all([tx.query(insertEarnings, rows), tx.query(addTurnover, rows)]);
}

const debtRows = rowSet<Debt>({
  payee: ['text', (one) => one.payee],
  job: ['text', (one) => one.job],
  currency: ['text', (one) => one.amount.currency],
  amount: ['bigint', (one) => one.amount.minor],
});

async function owe(tx: Tx, debts: readonly Debt[], delayMs: number): Promise<void> {
  if (debts.length === 0) return;
  await tx.query(
    {
      name: 'trade.owe',
      text: `INSERT INTO payable (payee_id, job_id, currency, amount, due_at)
        SELECT payee, job, currency, amount, assay_now() + $1::bigint * interval '1 millisecond'
        FROM ${debtRows.table(2)} AS one`,
    },
    [delayMs, ...debtRows.values(debts)],
  );
}

/** Among accounts in regions with a payment provider that of the payee's own region is preferred. */
const duePayees = {
  name: 'trade.payees',
  text: `SELECT p.payee_id AS account, a.region, a.destination FROM (
      SELECT payee_id, min(due_at) AS due_at FROM payable WHERE due_at <= assay_now() GROUP BY payee_id) p
    CROSS JOIN LATERAL (SELECT o.region, o.destination FROM payout_account o JOIN account c ON c.id = o.account_id
      WHERE o.account_id = p.payee_id AND o.disabled_at IS NULL
      ORDER BY o.region <> ALL($2), o.region <> c.region, o.region LIMIT 1) a
    ORDER BY p.due_at, p.payee_id LIMIT $1`,
};

async function payees(tx: Tx, limit: number, regions: readonly Region[]): Promise<Payee[]> {
  const due = await tx.query<{ account: AccountId; region: Region; destination: string }>(duePayees, [limit, regions]);
  const debts = await tx.query<{ payee: AccountId; job: JobId; currency: Currency; amount: bigint }>(
    {
      name: 'trade.debts_lock',
      text: `SELECT payee_id AS payee, job_id AS job, currency, amount FROM payable
        WHERE payee_id = ANY($1) AND due_at <= assay_now() ORDER BY payee_id, job_id FOR UPDATE SKIP LOCKED`,
    },
    [due.map((one) => one.account)],
  );
  const owed = Map.groupBy(debts, (debt) => debt.payee);
  return due.flatMap((payee) => {
    const shares = owed.get(payee.account) ?? [];
    // One currency a payout: others wait for the next look.
    const [first] = shares;
    const same = shares.filter((share) => share.currency === first?.currency);
    return same.length === 0
      ? []
      : [{ ...payee, owed: same.map(({ job, currency, amount }) => ({ job, amount: money(currency, amount) })) }];
  });
}
