/** The escrow of a job: its state says whose the money is, and the database holds it to the state at commit. */

import { assert, type Currency, type EscrowState, type JobId, type Money, money, refuse } from '@assay/core';
import type { Tx } from './database.ts';
import { accountKey, resolveAccounts } from './money-account.ts';

/** A job's escrow. */
export interface Escrow {
  readonly jobId: JobId;
  readonly state: EscrowState;
  readonly amount: Money;
  /** The end of the challenge window. */
  readonly releaseDueAt: Date | null;
  /** When the payment provider lets the money go on. */
  readonly fundsAvailableAt: Date | null;
  readonly version: number;
}

interface EscrowRow {
  readonly jobId: JobId;
  readonly state: EscrowState;
  readonly currency: Currency;
  readonly amount: bigint;
  readonly releaseDueAt: Date | null;
  readonly fundsAvailableAt: Date | null;
  readonly version: number;
}

const columns = `job_id AS "jobId", state, currency, amount, release_due_at AS "releaseDueAt",
  funds_available_at AS "fundsAvailableAt", version`;

/**
 * Opens the job's escrow, empty and awaiting payment of `amount`; again for the same amount changes nothing, for another
 * refuses `escrow.wrong_state`.
 */
export async function openEscrow(tx: Tx, jobId: JobId, amount: Money): Promise<void> {
  const name = { kind: 'escrow', ref: jobId, currency: amount.currency } as const;
  const accounts = await resolveAccounts(tx, [name]);
  const opened = await tx.query(
    {
      name: 'escrow_open',
      text: `INSERT INTO escrow (job_id, account_id, currency, amount) VALUES ($1, $2, $3, $4)
        ON CONFLICT (job_id) DO NOTHING RETURNING job_id`,
    },
    [jobId, accounts.get(accountKey(name)), amount.currency, amount.minor],
  );
  if (opened.length === 1) return;
  const found = await findEscrow(tx, jobId);
  if (found?.amount.minor !== amount.minor || found.amount.currency !== amount.currency) {
    throw refuse('escrow.wrong_state', `the escrow of ${jobId} was opened for another amount`, { jobId });
  }
}

/** Times that a move sets; both by the database's clock where they are durations. */
export interface EscrowTimes {
  /** How long the challenge window that opens now stays open. */
  readonly windowMs?: number;
  /** The end of the window as an instant; `windowMs` is preferred, since it leaves the clock to the database. */
  readonly releaseDueAt?: Date;
  /** When the paid money can be paid on; at once, where a window opens and nothing else was said. */
  readonly fundsAvailableAt?: Date;
}

const move = {
  name: 'escrow_move',
  text: `UPDATE escrow SET state = $3::escrow_state,
      release_due_at = coalesce($4::timestamptz, assay_now() + $5::bigint * interval '1 millisecond', release_due_at),
      funds_available_at = coalesce($6::timestamptz, funds_available_at,
        CASE WHEN $3::escrow_state = 'challenge' THEN assay_now() END)
    WHERE job_id = $1 AND state = $2::escrow_state RETURNING ${columns}`,
};

/**
 * Moves the escrow from `from` to `to`. Refuses `escrow.not_found`; `escrow.wrong_state` when it is elsewhere (another
 * transaction was faster) or the table has no such edge; `escrow.window_open` for a release before its time. The money
 * must follow in the same transaction, or its commit refuses `escrow.unbalanced`.
 */
export async function moveEscrow(
  tx: Tx,
  jobId: JobId,
  from: EscrowState,
  to: EscrowState,
  times: EscrowTimes = {},
): Promise<Escrow> {
  const { releaseDueAt, windowMs, fundsAvailableAt } = times;
  const [row] = await tx.query<EscrowRow>(move, [jobId, from, to, releaseDueAt, windowMs, fundsAvailableAt]);
  if (row) return escrowOf(row);
  const found = await findEscrow(tx, jobId);
  if (!found) throw refuse('escrow.not_found', `job ${jobId} has no escrow`, { jobId });
  throw refuse('escrow.wrong_state', `the escrow of ${jobId} is ${found.state}, not ${from}`, {
    jobId,
    state: found.state,
    wanted: from,
  });
}

/** The escrow as it stands. */
export async function findEscrow(tx: Tx, jobId: JobId): Promise<Escrow | undefined> {
  const [row] = await tx.query<EscrowRow>(
    { name: 'escrow_find', text: `SELECT ${columns} FROM escrow WHERE job_id = $1` },
    [jobId],
  );
  return row && escrowOf(row);
}

/** The escrow under its lock until the transaction ends; refuses `escrow.not_found`. */
export async function lockEscrow(tx: Tx, jobId: JobId): Promise<Escrow> {
  const [row] = await tx.query<EscrowRow>(
    { name: 'escrow_lock', text: `SELECT ${columns} FROM escrow WHERE job_id = $1 FOR NO KEY UPDATE` },
    [jobId],
  );
  if (!row) throw refuse('escrow.not_found', `job ${jobId} has no escrow`, { jobId });
  return escrowOf(row);
}

/** Escrows whose window is over and whose money is there, the longest due first, locked; skips what others hold. */
export async function lockDueEscrows(tx: Tx, limit: number): Promise<Escrow[]> {
  assert(limit > 0, 'a limit above zero');
  const rows = await tx.query<EscrowRow>(
    {
      name: 'escrow_due',
      text: `SELECT ${columns} FROM escrow WHERE state = 'challenge' AND release_due_at <= assay_now()
        AND funds_available_at <= assay_now() ORDER BY release_due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
    },
    [limit],
  );
  return rows.map(escrowOf);
}

function escrowOf({ currency, amount, ...row }: EscrowRow): Escrow {
  return { ...row, amount: money(currency, amount) };
}
