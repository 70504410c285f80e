/** The journal and the escrows in the words of the market. */

import {
  money,
  type Currency,
  type EscrowTimes,
  type JobId,
  type JournalAccount,
  type JournalEntry,
  type JournalLine,
  type MoneyBook,
} from '@assay/core';
import type { Tx } from '../database.ts';
import { moveEscrow, openEscrow } from '../escrow.ts';
import { postEntries, postEntry, type JournalEntry as StoredEntry } from '../journal.ts';
import { balanceOf } from '../money-account.ts';

/** The money of one transaction. */
export function moneyBook(tx: Tx): MoneyBook {
  return {
    post: (entry) => postEntry(tx, entryOf(entry)),
    async postAll(entries) {
      await postEntries(tx, entries.map(entryOf));
    },
    openEscrow: (job, amount) => openEscrow(tx, job, amount),
    async moveEscrow(job, from, to, times) {
      await moveEscrow(tx, job, from, to, times && asDates(times));
    },
    balance: (kind, ref, currency) => balanceOf(tx, { kind, ref }, currency),
    timeline: (job) => timeline(tx, job),
  };
}

function entryOf({ job, ...entry }: JournalEntry): StoredEntry {
  return job === null ? entry : { ...entry, jobId: job };
}

function asDates({ releaseDueAtMs, fundsAvailableAtMs }: EscrowTimes): {
  releaseDueAt?: Date;
  fundsAvailableAt?: Date;
} {
  return {
    ...(releaseDueAtMs !== undefined && { releaseDueAt: new Date(releaseDueAtMs) }),
    ...(fundsAvailableAtMs !== undefined && { fundsAvailableAt: new Date(fundsAvailableAtMs) }),
  };
}

interface LineRow {
  readonly entry: bigint;
  readonly at: Date;
  readonly kind: string;
  readonly debitKind: JournalAccount['kind'];
  readonly debitRef: string;
  readonly creditKind: JournalAccount['kind'];
  readonly creditRef: string;
  readonly currency: Currency;
  readonly amount: bigint;
}

/** A payout has an account of its own, so that its entries are found by it; of its amount the job's share counts. */
const lines = {
  name: 'trade.timeline',
  text: `WITH share AS (SELECT a.id AS account, s.amount FROM payout_share s JOIN transfer t ON t.id = s.transfer_id
        JOIN money_account a ON a.kind = 'payout_in_flight' AND a.ref = t.id AND a.currency = t.currency
      WHERE s.job_id = $1),
    returned AS (SELECT e.id AS entry, s.amount FROM payout_share s
        JOIN journal_entry e ON e.idem_key = s.transfer_id || '/payout_returned' WHERE s.job_id = $1),
    own AS (SELECT e.id AS entry, p.seq, p.amount FROM journal_entry e JOIN posting p ON p.entry_id = e.id
      WHERE e.job_id = $1),
    paid AS (SELECT p.entry_id AS entry, p.seq, share.amount FROM share JOIN posting p ON p.debit_id = share.account
      UNION ALL SELECT p.entry_id, p.seq, share.amount FROM share JOIN posting p ON p.credit_id = share.account
      UNION ALL SELECT r.entry, p.seq, r.amount FROM returned r JOIN posting p ON p.entry_id = r.entry)
    SELECT e.id AS entry, e.at, e.kind, d.kind AS "debitKind", d.ref AS "debitRef", c.kind AS "creditKind",
      c.ref AS "creditRef", p.currency, one.amount
    FROM (SELECT * FROM own UNION ALL SELECT * FROM paid) one
      JOIN posting p ON p.entry_id = one.entry AND p.seq = one.seq JOIN journal_entry e ON e.id = one.entry
      JOIN money_account d ON d.id = p.debit_id JOIN money_account c ON c.id = p.credit_id
    ORDER BY e.id, p.seq`,
};

async function timeline(tx: Tx, job: JobId): Promise<JournalLine[]> {
  const rows = await tx.query<LineRow>(lines, [job]);
  return rows.map((row) => ({
    atMs: row.at.getTime(),
    kind: row.kind,
    entry: row.entry.toString(),
    debit: { kind: row.debitKind, ref: row.debitRef },
    credit: { kind: row.creditKind, ref: row.creditRef },
    amount: money(row.currency, row.amount),
  }));
}
