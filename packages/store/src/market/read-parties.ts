/** Who stands behind the ids in a job's money. */

import type { JobId } from '@assay/core';
import type { Tx } from '../database.ts';

const parties = {
  name: 'read-parties',
  text: `SELECT a.id AS ref, split_part(a.email, '@', 1) AS name FROM account a
      WHERE a.id IN (SELECT owner_id FROM replica WHERE unit_id = ANY (ARRAY(SELECT id FROM unit WHERE job_id = $1)))
    UNION ALL SELECT t.id, split_part(a.email, '@', 1) FROM payout_share s JOIN transfer t ON t.id = s.transfer_id
      JOIN account a ON a.id = t.party_id WHERE s.job_id = $1`,
};

/** The names of those who worked on the job, by their accounts' ids and by those of their payouts. */
export async function readParties(tx: Tx, job: JobId): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ ref: string; name: string }>(parties, [job]);
  return new Map(rows.map(({ ref, name }) => [ref, name]));
}
