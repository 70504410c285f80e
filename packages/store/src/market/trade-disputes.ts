/** Disputes and their rulings. */

import {
  money,
  refuse,
  type Currency,
  type DisputeBook,
  type DisputeId,
  type DisputeRow,
  type DisputeRuling,
} from '@assay/core';
import type { Tx } from '../database.ts';

/** The disputes of one transaction. */
export function disputeBook(tx: Tx): DisputeBook {
  return {
    async open({ id, job, openedBy, reason }) {
      const opened = await tx.query(
        `INSERT INTO dispute (id, job_id, opened_by, reason) VALUES ($1, $2, $3, $4)
         ON CONFLICT (job_id) WHERE state = 'open' DO NOTHING RETURNING id`,
        [id, job, openedBy, reason],
      );
      if (opened.length === 0) throw refuse('dispute.exists', 'the job is already disputed', { job });
    },
    lock: (id) => select(tx, 'd.id = $1 FOR NO KEY UPDATE OF d', id),
    resolve: (id, ruling) => resolve(tx, id, ruling),
    ofJob: (job) => select(tx, 'd.job_id = $1 ORDER BY d.opened_at DESC, d.id DESC LIMIT 1', job),
  };
}

async function resolve(tx: Tx, id: DisputeId, ruling: DisputeRuling): Promise<void> {
  await tx.query(
    `UPDATE dispute SET state = 'resolved', outcome = $2, refund_minor = $3, resolution = $4, resolved_by = $5,
       resolved_at = assay_now() WHERE id = $1 AND state = 'open'`,
    [id, ruling.outcome, ruling.refund.minor, ruling.reason, ruling.by],
  );
}

interface Row extends Omit<DisputeRow, 'refund' | 'openedAtMs' | 'resolvedAtMs'> {
  readonly currency: Currency;
  readonly refundMinor: bigint | null;
  readonly openedAt: Date;
  readonly resolvedAt: Date | null;
}

async function select(tx: Tx, condition: string, value: string): Promise<DisputeRow | undefined> {
  const [row] = await tx.query<Row>(
    `SELECT d.id, d.job_id AS job, d.opened_by AS "openedBy", d.reason, d.state, d.outcome, d.resolution, j.currency,
       d.refund_minor AS "refundMinor", d.opened_at AS "openedAt", d.resolved_at AS "resolvedAt"
     FROM dispute d JOIN job j ON j.id = d.job_id WHERE ${condition}`,
    [value],
  );
  if (!row) return undefined;
  const { currency, refundMinor, openedAt, resolvedAt, ...rest } = row;
  return {
    ...rest,
    refund: refundMinor === null ? null : money(currency, refundMinor),
    openedAtMs: openedAt.getTime(),
    resolvedAtMs: resolvedAt?.getTime() ?? null,
  };
}
