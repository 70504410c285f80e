/** A run counts only if all of this holds after it. */

import type { Database } from '@assay/store';
import type { DispatchOptions } from './dispatch-options.ts';

interface Totals {
  readonly units: bigint;
  readonly agreed: bigint;
  readonly doubled: bigint;
  readonly unpaid: bigint;
  readonly completed: bigint;
  readonly charged: bigint;
  readonly earned: bigint;
  readonly refunded: bigint;
  readonly gross: bigint;
  readonly paidReplicas: bigint;
}

/** What does not hold, from the tables. */
export async function failedGates(db: Database, options: DispatchOptions): Promise<string[]> {
  // Without statistics of what the run has just written some plans take minutes.
  await db.query('ANALYZE');
  const [totals] = await db.query<Totals>(
    `SELECT (SELECT count(*) FROM unit) AS units,
       (SELECT count(*) FROM unit WHERE state = 'agreed') AS agreed,
       (SELECT count(*) FROM (SELECT FROM replica WHERE state <> 'lost' GROUP BY unit_id, owner_id HAVING count(*) > 1) AS twice) AS doubled,
       (SELECT count(*) FROM replica LEFT JOIN replica_pay ON replica_id = id JOIN job ON job.id = replica.job_id
          WHERE replica.state = 'agreed' AND paid IS DISTINCT FROM price_per_replica) AS unpaid,
       (SELECT count(*) FROM job WHERE state = 'completed') AS completed,
       (SELECT sum(charged)::bigint FROM job) AS charged,
       (SELECT sum(gross)::bigint FROM earning) AS earned,
       (SELECT coalesce(sum(refunded), 0)::bigint FROM job) AS refunded,
       (SELECT sum(paid)::bigint FROM replica_pay) AS gross,
       (SELECT sum(replicas) FROM earning) AS "paidReplicas"`,
  );
  if (!totals) return ['the tables do not answer'];
  const units = options.units + options.warmUp;
  const replicas = BigInt(units * options.redundancy);
  const jobs = jobSizes(options).length + Math.sign(options.warmUp);
  const gates: [name: string, holds: boolean][] = [
    [`${units} units are verified`, totals.units === BigInt(units) && totals.agreed === totals.units],
    [`each of ${replicas} replicas is paid its price once`, totals.paidReplicas === replicas && totals.unpaid === 0n],
    ['no unit went to one owner twice', totals.doubled === 0n],
    ['every job is completed', totals.completed === BigInt(jobs)],
    ['what providers earned is what replicas were paid', totals.earned === totals.gross],
    ['earnings and refunds sum to the escrow', totals.charged === totals.earned + totals.refunded],
  ];
  return gates.filter(([, holds]) => !holds).map(([name]) => `not so: ${name}`);
}

/** Units of each job. */
export function jobSizes({ units, jobs }: DispatchOptions): number[] {
  return Array.from({ length: jobs }, (_, index) => Math.floor((units + index) / jobs)).filter((size) => size > 0);
}
