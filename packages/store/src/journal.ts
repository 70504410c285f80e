/** Writing to the journal: one cause, one entry, however often it is told. */

import { createHash } from 'node:crypto';
import { assert, type Currency, type JobId, type Money, canonicalJson, money, refuse } from '@assay/core';
import type { Tx } from './database.ts';
import { type AccountRef, accountKey, type MoneyAccountKind, resolveAccounts } from './money-account.ts';

/** One amount that leaves `debit` for `credit`; zero moves nothing and is left out. */
export interface Posting {
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  readonly amount: Money;
}

/** What one cause books. */
export interface JournalEntry {
  /** Names the cause, as `stripe:pi_123:succeeded`: 8 to 200 characters. */
  readonly key: string;
  /** Lower-case words joined by underscores; `reversal` may take flows backwards. */
  readonly kind: string;
  readonly jobId?: JobId;
  /** Why, for people and audits; not compared when the key comes again. */
  readonly cause: Readonly<Record<string, unknown>>;
  readonly postings: readonly Posting[];
}

/** Whether the entry was written now or had been before. */
export type Booking = 'booked' | 'already';

interface PreparedEntry extends JournalEntry {
  readonly hash: string;
}

/**
 * Books one entry. Refuses `idempotency.key_reused` when the key booked something else, `journal.overdraft` when an
 * account that we guard would fall below zero, `journal.wrong_flow` and `money.malformed` for what may never be booked.
 */
export async function postEntry(tx: Tx, entry: JournalEntry): Promise<Booking> {
  const [booking] = await postEntries(tx, [entry]);
  assert(booking, 'one booking for one entry');
  return booking;
}

/** Books many entries in three statements; one that is refused refuses all. */
export async function postEntries(tx: Tx, entries: readonly JournalEntry[]): Promise<Booking[]> {
  if (entries.length === 0) return [];
  const prepared = new Map<string, PreparedEntry>();
  for (const entry of entries) {
    const hash = requestHash(entry);
    if ((prepared.get(entry.key)?.hash ?? hash) !== hash) throw keyReused(entry.key);
    prepared.set(entry.key, { ...entry, hash });
  }
  const ids = await addEntries(tx, [...prepared.values()]);
  await addPostings(tx, [...prepared.values()], ids);
  const answered = new Set<string>();
  return entries.map(({ key }) => {
    const first = ids.has(key) && !answered.has(key);
    answered.add(key);
    return first ? 'booked' : 'already';
  });
}

function requestHash(entry: JournalEntry): string {
  const postings = moving(entry).map(({ debit, credit, amount }) => [
    debit.kind,
    debit.ref,
    credit.kind,
    credit.ref,
    amount.currency,
    amount.minor.toString(),
  ]);
  const text = canonicalJson({ kind: entry.kind, job: entry.jobId ?? null, postings });
  return createHash('sha256').update(text).digest('hex');
}

function moving(entry: JournalEntry): readonly Posting[] {
  return entry.postings.filter(({ amount }) => amount.minor !== 0n);
}

const insertEntries = {
  name: 'journal_entry_add',
  text: `INSERT INTO journal_entry (idem_key, kind, job_id, cause, request_hash)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[])
    ON CONFLICT (idem_key) DO NOTHING RETURNING id, idem_key AS key`,
};

/** The ids of the entries that are new; the others must have booked the same. */
async function addEntries(tx: Tx, entries: readonly PreparedEntry[]): Promise<ReadonlyMap<string, bigint>> {
  const rows = await tx.query<{ id: bigint; key: string }>(insertEntries, [
    entries.map((entry) => entry.key),
    entries.map((entry) => entry.kind),
    entries.map((entry) => entry.jobId ?? null),
    entries.map((entry) => JSON.stringify(entry.cause)),
    entries.map((entry) => entry.hash),
  ]);
  const ids = new Map(rows.map((row) => [row.key, row.id]));
  const old = entries.filter((entry) => !ids.has(entry.key));
  if (old.length === 0) return ids;
  const stored = await tx.query<{ key: string; hash: string }>(
    'SELECT idem_key AS key, request_hash AS hash FROM journal_entry WHERE idem_key = ANY($1)',
    [old.map((entry) => entry.key)],
  );
  const hashes = new Map(stored.map((row) => [row.key, row.hash]));
  for (const entry of old) if (hashes.get(entry.key) !== entry.hash) throw keyReused(entry.key);
  return ids;
}

const insertPostings = {
  name: 'posting_add',
  text: `INSERT INTO posting (entry_id, seq, debit_id, credit_id, currency, amount)
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[])`,
};

async function addPostings(tx: Tx, entries: readonly PreparedEntry[], ids: ReadonlyMap<string, bigint>): Promise<void> {
  const rows = entries.flatMap((entry) => {
    const entryId = ids.get(entry.key);
    if (entryId === undefined) return [];
    return moving(entry).map((posting, index) => ({ ...posting, entryId, seq: index + 1 }));
  });
  if (rows.length === 0) return;
  const sides = rows.flatMap(({ debit, credit, amount: { currency } }) => [
    { ...debit, currency },
    { ...credit, currency },
  ]);
  const accounts = await resolveAccounts(tx, sides);
  const idOf = (account: AccountRef, currency: Currency): bigint | undefined =>
    accounts.get(accountKey({ ...account, currency }));
  await tx.query(insertPostings, [
    rows.map((row) => row.entryId),
    rows.map((row) => row.seq),
    rows.map((row) => idOf(row.debit, row.amount.currency)),
    rows.map((row) => idOf(row.credit, row.amount.currency)),
    rows.map((row) => row.amount.currency),
    rows.map((row) => row.amount.minor),
  ]);
}

function keyReused(key: string): Error {
  return refuse('idempotency.key_reused', 'the key booked something else before', { key });
}

/** One posting of a job's entries, as a timeline shows it. */
export interface JournalLine {
  readonly entryId: bigint;
  readonly seq: number;
  readonly at: Date;
  readonly kind: string;
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  readonly amount: Money;
  readonly cause: Readonly<Record<string, unknown>>;
}

interface LineRow {
  readonly entryId: bigint;
  readonly seq: number;
  readonly at: Date;
  readonly kind: string;
  readonly cause: Readonly<Record<string, unknown>>;
  readonly debitKind: MoneyAccountKind;
  readonly debitRef: string;
  readonly creditKind: MoneyAccountKind;
  readonly creditRef: string;
  readonly currency: Currency;
  readonly amount: bigint;
}

const jobLines = {
  name: 'journal_job_lines',
  text: `SELECT e.id AS "entryId", p.seq, e.at, e.kind, e.cause, d.kind AS "debitKind", d.ref AS "debitRef",
      c.kind AS "creditKind", c.ref AS "creditRef", p.currency, p.amount
    FROM journal_entry e JOIN posting p ON p.entry_id = e.id
      JOIN money_account d ON d.id = p.debit_id JOIN money_account c ON c.id = p.credit_id
    WHERE e.job_id = $1 ORDER BY e.id, p.seq`,
};

/** Every posting of the job's entries, oldest first. */
export async function readJobLines(tx: Tx, jobId: JobId): Promise<JournalLine[]> {
  const rows = await tx.query<LineRow>(jobLines, [jobId]);
  return rows.map((row) => ({
    entryId: row.entryId,
    seq: row.seq,
    at: row.at,
    kind: row.kind,
    cause: row.cause,
    debit: { kind: row.debitKind, ref: row.debitRef },
    credit: { kind: row.creditKind, ref: row.creditRef },
    amount: money(row.currency, row.amount),
  }));
}
