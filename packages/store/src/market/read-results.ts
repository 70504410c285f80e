/** The agreed outputs of a job. */

import type { Tree } from '@assay/core';
import type { Tx } from '../database.ts';
import { ownsJob, type Viewer } from './viewer.ts';

/** The canonical outputs of one agreed unit. */
export interface UnitOutputs {
  readonly kind: 'work' | 'merge';
  readonly ordinal: number;
  readonly outputs: Tree;
}

const readOutputs = {
  name: 'read-results',
  text: `SELECT u.kind, u.ordinal, r.outputs
    FROM job j JOIN unit u ON u.job_id = j.id JOIN replica r ON r.id = u.canonical_replica
    WHERE j.id = $3 AND ${ownsJob} AND u.state = 'agreed' AND r.outputs IS NOT NULL
      AND j.state IN ('verified', 'completed', 'disputed')
      AND (u.kind = 'merge') = (j.manifest->'parallelism' ? 'merge_script')
    ORDER BY u.ordinal`,
};

/**
 * The outputs of the merge unit, or of all work units where there is none; empty before the job is verified and for
 * viewers who are not on the customer's side.
 */
export function readResults(tx: Tx, viewer: Viewer, jobId: string): Promise<UnitOutputs[]> {
  return tx.query<UnitOutputs>(readOutputs, [viewer.account, viewer.all, jobId]);
}
