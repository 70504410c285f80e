/** What an error of the driver or the database means to the caller: a lawful no, a failed world, or our own bug. */

import { Fault, isErrorCode, refuse, type ErrorCode } from '@assay/core';

/** The fields of a PostgreSQL error that decide what it means. */
interface SqlError extends Error {
  readonly code?: string;
  readonly constraint?: string;
  readonly hint?: string;
  readonly detail?: string;
}

/** SQLSTATEs that our own triggers raise, and the refusal that each one is. */
const raisedCodes: Readonly<Record<string, ErrorCode>> = {
  LE001: 'journal.append_only',
  LE005: 'escrow.wrong_state',
  LE007: 'escrow.unbalanced',
  LE008: 'journal.append_only',
  LE009: 'escrow.window_open',
};

/** CHECK constraints whose breach is a lawful no; any other breach is our bug and stays as it is. */
const constraintCodes: Readonly<Record<string, ErrorCode>> = {
  no_overdraft: 'journal.overdraft',
  no_over_claim: 'journal.overdraft',
  amount_positive: 'money.malformed',
};

const lostConnectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '25P03',
  '57P05',
]);

const lostConnectionText =
  /^(?:Connection terminated|timeout expired|timeout exceeded|Client has encountered|Client was closed|Cannot use a pool)/;

/** Whether the transaction lost against another one and may simply run again. */
export function isSerializationConflict(error: unknown): boolean {
  const { code } = error as SqlError;
  return code === '40001' || code === '40P01';
}

/** Whether the statement failed only because one before it in its transaction did. */
export function isAbortedTransaction(error: unknown): boolean {
  return (error as SqlError).code === '25P02';
}

/** Whether the connection, not the statement, is what failed. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as SqlError;
  return (code !== undefined && lostConnectionCodes.has(code)) || lostConnectionText.test(message ?? '');
}

/** Whether a row with the same key exists; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const sqlError = error as SqlError;
  return sqlError.code === '23505' && (constraint === undefined || sqlError.constraint === constraint);
}

/**
 * The error to throw in place of `error`: a Refusal for what our triggers and checks forbid, `store.unavailable` for a
 * lost connection, else `error` itself. A trigger of another module raises `LE0xx` with the refusal's code as its hint.
 */
export function translateSqlError(error: unknown): unknown {
  const { code, constraint, hint, detail, message } = error as SqlError;
  if (code?.startsWith('LE0')) {
    const refusal = hint !== undefined && isErrorCode(hint) ? hint : raisedCodes[code];
    if (refusal) return refuse(refusal, message, detail === undefined ? {} : { detail });
  }
  if (code === '23514' && constraint !== undefined) {
    const refusal = constraintCodes[constraint];
    if (refusal) return refuse(refusal, message, { constraint });
  }
  if (isConnectionLoss(error)) {
    return new Fault('store.unavailable', 'the database does not answer', { cause: error, retry: true });
  }
  return error;
}
