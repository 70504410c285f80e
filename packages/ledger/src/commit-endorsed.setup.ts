/** Commits what a test executed, changed or forged by itself. */

import type { Tx } from '@assay/store';
import { writeBlock, type Engine } from './commit.ts';
import { stateReader, type HeadRow } from './ledger-rows.ts';
import type { Endorsed } from './make-block.ts';

/** One block of transactions that were executed before, perhaps on older state; the database refuses an id twice. */
export async function commitEndorsed(
  engine: Engine,
  tx: Tx,
  head: HeadRow,
  endorsed: readonly Endorsed[],
): Promise<{ readonly after: HeadRow; readonly codes: readonly number[] }> {
  const { written, ...block } = await writeBlock(engine, tx, head, { endorsed, reader: stateReader(tx) });
  await written;
  return block;
}
