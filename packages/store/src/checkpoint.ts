/** How far a follower has read: moved in the transaction that holds the effects of what was read. */

import { assert } from '@assay/core';
import type { Tx } from './database.ts';

/** The follower's position, 0 at first, under its lock until the transaction ends: followers of one name take turns. */
export async function checkpoint(tx: Tx, name: string): Promise<bigint> {
  const lock = { name: 'checkpoint_lock', text: 'SELECT position FROM checkpoint WHERE name = $1 FOR NO KEY UPDATE' };
  const [row] = await tx.query<{ position: bigint }>(lock, [name]);
  if (row) return row.position;
  await tx.query('INSERT INTO checkpoint (name) VALUES ($1) ON CONFLICT (name) DO NOTHING', [name]);
  const [made] = await tx.query<{ position: bigint }>(lock, [name]);
  assert(made, 'a checkpoint that was just made');
  return made.position;
}

/** Moves the follower forward, never back. */
export async function moveCheckpoint(tx: Tx, name: string, position: bigint): Promise<void> {
  const rows = await tx.query(
    {
      name: 'checkpoint_move',
      text: `UPDATE checkpoint SET position = $2, moved_at = assay_now() WHERE name = $1 AND position <= $2 RETURNING name`,
    },
    [name, position],
  );
  assert(rows.length === 1, `checkpoint ${name} exists and moves forward`);
}
