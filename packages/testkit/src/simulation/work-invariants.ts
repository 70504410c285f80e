/** What devices were told and what they truly had, against the verdicts and the pay. */

import { quorumOf, readMetric, type JobId, type ReplicaId, type UnitId } from '@assay/core';
import { metricName, tolerance } from './run-unit.ts';
import type { RunResult } from './simulated-device.ts';
import type { World } from './world.ts';

interface Row {
  readonly id: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly owner: string;
  readonly state: string;
  readonly commitment: string | null;
  readonly digest: string | null;
  readonly paid: bigint | null;
  readonly unitState: string;
  readonly kind: string;
  readonly comparator: string;
  readonly redundancy: number;
}

export async function workFaults(world: World): Promise<string[]> {
  const rows = await world.database.db.query<Row>(
    `SELECT replica.id, unit.id AS unit, replica.job_id AS job, replica.owner_id AS owner, replica.state, commitment, digest, paid,
       unit.state AS "unitState", unit.kind, manifest -> 'verification' ->> 'type' AS comparator, redundancy::int
     FROM replica JOIN unit ON unit.id = replica.unit_id LEFT JOIN replica_pay ON replica_id = replica.id JOIN job ON job.id = replica.job_id ORDER BY replica.id`,
  );
  const byUnit = Map.groupBy(rows, (row) => row.unit);
  return [
    ...witnessFaults(world, new Map(rows.map((row) => [row.id, row]))),
    ...[...byUnit.values()].flatMap((unit) => verdictFaults(world, unit)),
  ];
}

/** No acknowledged commitment or result is lost or changed. */
function witnessFaults({ witnessed }: World, rows: ReadonlyMap<ReplicaId, Row>): string[] {
  const faults: string[] = [];
  for (const [replica, commitment] of witnessed.commits) {
    if (rows.get(replica)?.commitment !== commitment) faults.push(`the commitment of ${replica} is lost`);
  }
  for (const replica of witnessed.reveals) {
    const row = rows.get(replica);
    const kept = row && ['agreed', 'disagreed', 'failed', 'withdrawn'].includes(row.state);
    if (!kept || row.digest !== witnessed.runs.get(replica)?.result.digest) {
      faults.push(`the result of ${replica} is lost: it is ${row?.state}`);
    }
  }
  return faults;
}

/** An agreed unit has a quorum of independent replicas that truly agree; only these are paid, and no lie without a quorum of liars. */
function verdictFaults({ witnessed }: World, rows: readonly Row[]): string[] {
  const [first] = rows;
  if (!first) return [];
  const faults: string[] = [];
  const agreed = rows.filter((row) => row.state === 'agreed');
  for (const row of rows) {
    if (row.paid !== null && row.state !== 'agreed') faults.push(`${row.id} is ${row.state} and was paid`);
  }
  if (first.unitState !== 'agreed') {
    if (agreed.length > 0) faults.push(`${first.unit} is ${first.unitState} but has agreed replicas`);
    return faults;
  }
  const results = rows.filter((row) => row.state === 'agreed' || row.state === 'failed');
  const quorum = quorumOf(first.redundancy);
  const owners = new Set(results.map((row) => row.owner));
  if (owners.size !== results.length) faults.push(`${first.unit} was agreed by replicas of one owner`);
  if (owners.size < quorum) faults.push(`${first.unit} was agreed by ${owners.size} of ${quorum}`);
  const isMetric = first.comparator === 'metric' && first.kind === 'work';
  const truths = results.map((row) => witnessed.runs.get(row.id));
  if (!truths.every((one) => one !== undefined)) return [...faults, `${first.unit} has results that nobody gave`];
  const runs = truths.map((one) => one.result);
  if (!agree(runs, isMetric)) faults.push(`${first.unit} was agreed on by results that differ`);
  const honest = truths.filter((one) => !one.isLie).length;
  if (honest > 0 && honest < truths.length)
    faults.push(`${first.unit} was agreed by liars and honest workers together`);
  const others = rows.filter((row) => row.state === 'disagreed').map((row) => witnessed.runs.get(row.id)?.result);
  const rival = largestAgreement(
    others.filter((one) => one !== undefined),
    isMetric,
  );
  if (rival >= quorum) faults.push(`${first.unit} was agreed although ${rival} others agree on something else`);
  return faults;
}

/** How many of `runs` agree with the same one of them; each is of an owner of its own. */
function largestAgreement(runs: readonly RunResult[], isMetric: boolean): number {
  return Math.max(0, ...runs.map((one) => runs.filter((other) => agree([one, other], isMetric)).length));
}

function agree(runs: readonly RunResult[], isMetric: boolean): boolean {
  const numbers = runs.map((run) => readMetric(run.metrics ?? '', metricName)).filter((number) => number !== null);
  if (isMetric && numbers.length === runs.length) return Math.max(...numbers) - Math.min(...numbers) <= tolerance;
  return new Set(runs.map((run) => `${run.exitCode} ${run.digest}`)).size === 1;
}
