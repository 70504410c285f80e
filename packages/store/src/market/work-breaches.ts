/** Reports of jobs that reached out of their sandbox, and what follows from them. Nothing here is on the hot path. */

import type { AccountId, BreachedJob, BreachReport, JobId, NewBreach, ReplicaId } from '@assay/core';
import { addAudit } from '../audit.ts';
import type { Tx } from '../database.ts';
import { ban } from '../identity/bans.ts';
import { rowSet } from './set-based.ts';

const breachRows = rowSet<NewBreach>({
  replica: ['text', (one) => one.replica],
  job: ['text', (one) => one.job],
  what: ['text', (one) => one.what],
});

const insertBreaches = {
  name: 'work.insert_breaches',
  text: `INSERT INTO breach (replica_id, job_id, what) SELECT replica, job, what FROM ${breachRows.table(1)} AS one
    ON CONFLICT DO NOTHING`,
};

export async function addBreaches(tx: Tx, breaches: readonly NewBreach[]): Promise<void> {
  await tx.query(insertBreaches, breachRows.values(breaches));
}

const readBreaches = {
  name: 'work.breached_jobs',
  text: `SELECT breach.job_id AS job, job.customer_id AS customer, breach.replica_id AS replica, what,
      worker_id AS worker, owner_id AS owner, payout_account_id AS "payoutAccount", hub_id AS hub,
      network_block AS "networkBlock", replica.state = 'failed' AS "isVerdict"
    FROM breach JOIN job ON job.id = breach.job_id JOIN replica ON replica.id = breach.replica_id
      JOIN unit ON unit.id = replica.unit_id AND unit.state IN ('agreed', 'undecided')
    WHERE breach.job_id IN (SELECT breach.job_id FROM breach JOIN replica ON replica.id = replica_id
      JOIN unit ON unit.id = unit_id AND unit.state IN ('agreed', 'undecided')
      WHERE NOT weighed GROUP BY breach.job_id ORDER BY breach.job_id LIMIT $1)
    ORDER BY breach.job_id, breach.reported_at, breach.replica_id`,
};

/**
 * Jobs with reports of decided units that were not weighed yet. Only reports of replicas whose result is the verdict
 * count: who accuses alone, against what the others found, accuses nobody.
 */
export async function breachedJobs(tx: Tx, limit: number): Promise<BreachedJob[]> {
  type Row = BreachReport & {
    readonly job: JobId;
    readonly customer: AccountId;
    readonly replica: ReplicaId;
    readonly isVerdict: boolean;
  };
  const byJob = new Map<JobId, BreachedJob & { readonly reports: BreachReport[]; readonly replicas: ReplicaId[] }>();
  for (const { job, customer, replica, isVerdict, ...report } of await tx.query<Row>(readBreaches, [limit])) {
    const known = byJob.get(job) ?? { job, customer, reports: [], replicas: [] };
    if (isVerdict) known.reports.push(report);
    known.replicas.push(replica);
    byJob.set(job, known);
  }
  return [...byJob.values()];
}

/** Notes that the reports were weighed; where they prove a breach its customer is banned, once. */
export async function weighBreach(tx: Tx, breached: BreachedJob, proven: string | undefined): Promise<void> {
  await tx.query({ name: 'work.weigh_breach', text: 'UPDATE breach SET weighed = true WHERE replica_id = ANY($1)' }, [
    breached.replicas,
  ]);
  if (proven === undefined) return;
  const reason = `${breached.job}: ${proven}`;
  if ((await ban(tx, breached.customer, reason)) === 'banned') {
    const data = { job: breached.job, what: proven, workers: breached.reports.map((report) => report.worker) };
    await addAudit(tx, { actor: 'system', action: 'ban.add', ref: breached.customer, data });
  }
}
