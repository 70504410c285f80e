/** Looks for contradictions in the books; writes nothing. */

import type { BooksFault, EscrowState, JobId, JobStanding, JobState } from '@assay/core';
import { escrowStatesOfJob } from '@assay/core';
import type { Database, Tx } from '../database.ts';

interface Check {
  readonly rule: string;
  /** Rows `ref`, `text`: each is a contradiction. */
  readonly sql: string;
}

const checks: readonly Check[] = [
  {
    rule: 'the totals of guarded accounts are the sums of their postings',
    sql: `SELECT a.kind || ':' || a.ref AS ref, format('%s/%s stored, %s/%s posted', a.debits, a.credits, p.d, p.c) AS text
      FROM money_account a CROSS JOIN LATERAL (SELECT
          coalesce((SELECT sum(amount) FROM posting WHERE debit_id = a.id), 0) AS d,
          coalesce((SELECT sum(amount) FROM posting WHERE credit_id = a.id), 0) AS c) p
      WHERE a.guarded AND (a.debits <> p.d OR a.credits <> p.c)`,
  },
  {
    rule: 'an escrow holds what its state says',
    sql: `SELECT e.job_id AS ref, format('%s of %s holds %s', e.state, e.amount, a.credits - a.debits) AS text
      FROM escrow e JOIN money_account a ON a.id = e.account_id
      WHERE a.credits - a.debits <> CASE WHEN e.state IN ('funded', 'challenge', 'frozen') THEN e.amount ELSE 0 END`,
  },
  {
    rule: 'a settled job gave out what was charged',
    sql: `SELECT id AS ref, format('charged %s, paid %s, refunded %s', charged, paid_out, refunded) AS text FROM job
      WHERE state IN ('completed', 'refunded') AND charged IS NOT NULL
        AND charged IS DISTINCT FROM coalesce(paid_out, 0) + coalesce(refunded, 0)`,
  },
  {
    rule: 'earnings are what the job paid out',
    sql: `SELECT j.id AS ref, format('paid out %s, earned %s', j.paid_out, coalesce(sum(e.gross), 0)) AS text
      FROM job j LEFT JOIN earning e ON e.job_id = j.id WHERE j.state = 'completed'
      GROUP BY j.id HAVING j.paid_out IS DISTINCT FROM coalesce(sum(e.gross), 0)`,
  },
  {
    rule: 'replicas are paid what their owners earned',
    sql: `SELECT job_id || ' ' || provider_id AS ref,
        format('earned %s with %s replicas, %s replicas say %s', e.gross, e.replicas, r.replicas, r.paid) AS text
      FROM earning e LEFT JOIN (SELECT job_id, owner_id AS provider_id, count(*) AS replicas, sum(paid) AS paid
        FROM replica_pay GROUP BY job_id, owner_id) r USING (job_id, provider_id)
      WHERE e.gross IS DISTINCT FROM r.paid OR e.replicas IS DISTINCT FROM r.replicas`,
  },
  {
    rule: 'only completed jobs pay, and they pay every agreed replica that a ruling did not take from',
    sql: `SELECT j.id || ' ' || r.owner_id AS ref, format('job %s, %s agreed replicas', j.state, count(*)) AS text
      FROM replica r JOIN job j ON j.id = r.job_id
        LEFT JOIN earning e ON e.job_id = r.job_id AND e.provider_id = r.owner_id
      WHERE r.state = 'agreed' AND CASE WHEN j.state = 'completed'
        THEN e.job_id IS NULL AND NOT EXISTS (SELECT FROM dispute d WHERE d.job_id = j.id AND d.outcome = 'split')
        ELSE e.job_id IS NOT NULL END
      GROUP BY j.id, j.state, r.owner_id`,
  },
  {
    rule: 'turnover is the sum of earnings of its month',
    sql: `SELECT provider_id || ' ' || month AS ref, format('turnover %s, earned %s', t.gross, e.gross) AS text
      FROM turnover t FULL JOIN (SELECT provider_id, currency, date_trunc('month', at AT TIME ZONE 'UTC')::date AS month,
          sum(gross) AS gross FROM earning GROUP BY 1, 2, 3) e USING (provider_id, currency, month)
      WHERE coalesce(t.gross, 0) <> coalesce(e.gross, 0)`,
  },
  {
    rule: 'what is owed to a provider of work is queued for payout',
    sql: `SELECT a.ref, format('owed %s, queued %s', a.credits - a.debits, coalesce(p.amount, 0)) AS text
      FROM money_account a LEFT JOIN (SELECT payee_id, currency, sum(amount) AS amount FROM payable
        GROUP BY payee_id, currency) p ON p.payee_id = a.ref AND p.currency = a.currency
      WHERE a.kind = 'worker_payable' AND a.credits - a.debits <> coalesce(p.amount, 0)`,
  },
  {
    rule: 'money in flight belongs to a movement under way',
    sql: `SELECT t.id AS ref, format('%s holds %s', t.state, a.credits - a.debits) AS text
      FROM transfer t LEFT JOIN money_account a ON a.ref = t.id AND a.currency = t.currency
        AND a.kind = CASE t.kind WHEN 'refund' THEN 'refund_in_flight' ELSE 'payout_in_flight' END::money_account_kind
      WHERE t.kind <> 'payment' AND coalesce(a.credits - a.debits, 0)
        <> CASE WHEN t.state IN ('succeeded', 'failed', 'canceled') THEN 0 ELSE t.amount END`,
  },
  {
    rule: 'the shares of a payout sum to it',
    sql: `SELECT t.id AS ref, format('%s, shares %s', t.amount, coalesce(sum(s.amount), 0)) AS text
      FROM transfer t LEFT JOIN payout_share s ON s.transfer_id = t.id WHERE t.kind = 'payout'
      GROUP BY t.id HAVING t.amount <> coalesce(sum(s.amount), 0)`,
  },
];

/** Every contradiction inside the database. */
export async function checkBooks(db: Database): Promise<BooksFault[]> {
  return await db.transaction(async (tx) => {
    const faults: BooksFault[] = [];
    for (const { rule, sql } of checks) {
      const rows = await tx.query<{ ref: string; text: string }>(sql);
      faults.push(...rows.map((row) => ({ rule, ...row })));
    }
    return [...faults, ...(await escrowFaults(tx))];
  });
}

async function escrowFaults(tx: Tx): Promise<BooksFault[]> {
  const rows = await tx.query<{ job: JobId; state: JobState; escrow: EscrowState }>(
    'SELECT j.id AS job, j.state, e.state AS escrow FROM job j JOIN escrow e ON e.job_id = j.id',
  );
  return rows
    .filter((row) => !escrowStatesOfJob[row.state].includes(row.escrow))
    .map(({ job, state, escrow }) => ({
      rule: 'the escrow stands where the job does',
      ref: job,
      text: `the job is ${state}, its escrow ${escrow}`,
    }));
}

/** Jobs with the state of their escrow, by id. */
export function standings(tx: Tx, after: JobId | null, limit: number): Promise<JobStanding[]> {
  return tx.query<JobStanding>(
    `SELECT j.id AS job, j.state, e.state AS escrow,
       EXISTS (SELECT FROM outbox o WHERE o.kind = 'ledger' AND o.ref = j.id
         AND o.state IN ('ready', 'sending', 'unknown', 'human')) AS "ledgerPending"
     FROM job j LEFT JOIN escrow e ON e.job_id = j.id WHERE j.id > $1 ORDER BY j.id LIMIT $2`,
    [after ?? '', limit],
  );
}
