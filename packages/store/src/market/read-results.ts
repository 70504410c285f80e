/** The agreed outputs of a job. */

import type { Tree } from '@assay/core';
import type { Tx } from '../database.ts';
import { ownsJob, type Viewer } from './viewer.ts';

/** The canonical outputs of one agreed unit. */
export interface UnitOutputs {
  readonly ordinal: number;
  readonly outputs: Tree;
}

/** The merge unit, or all work units where there is none; nothing before the job is verified, nor for strangers. */
const agreedUnits = `FROM job j JOIN unit u ON u.job_id = j.id JOIN replica r ON r.id = u.canonical_replica
    WHERE j.id = $3 AND ${ownsJob} AND u.state = 'agreed' AND r.outputs IS NOT NULL
      AND j.state IN ('verified', 'completed', 'disputed')
      AND (u.kind = 'merge') = (j.manifest->'parallelism' ? 'merge_script')`;

const countUnits = { name: 'count-result-units', text: `SELECT count(*)::int AS count ${agreedUnits}` };

/** How many units the results come from; none before the job is verified and for who is not on the customer's side. */
export async function countResultUnits(tx: Tx, viewer: Viewer, jobId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(countUnits, [viewer.account, viewer.all, jobId]);
  return row?.count ?? 0;
}

const countFiles = {
  name: 'count-result-files',
  text: `SELECT coalesce(sum(jsonb_array_length(r.outputs)), 0)::int AS count ${agreedUnits}
    AND ($4::int IS NULL OR u.ordinal = $4)`,
};

const readOutputs = {
  name: 'read-results',
  text: `SELECT u.ordinal, r.outputs ${agreedUnits} AND ($4::int IS NULL OR u.ordinal = $4) ORDER BY u.ordinal`,
};

/** The outputs of these units, or of the one with that ordinal; the number of files alone where they are too many. */
export async function readResults(
  tx: Tx,
  viewer: Viewer,
  jobId: string,
  read: { readonly ordinal?: number | undefined; readonly mostFiles: number },
): Promise<{ readonly files: number; readonly units?: readonly UnitOutputs[] }> {
  const values = [viewer.account, viewer.all, jobId, read.ordinal ?? null];
  const [row] = await tx.query<{ count: number }>(countFiles, values);
  const files = row?.count ?? 0;
  if (files > read.mostFiles) return { files };
  return { files, units: await tx.query<UnitOutputs>(readOutputs, values) };
}
