/** Holds the stored batched facts against what the transactions of the chain say about them. */

import { limits } from '@assay/core';
import type { Tx } from '@assay/store';
import { isTextOf } from './leaves.ts';
import type { Replay } from './replay.ts';

interface LeavesRow {
  readonly block: bigint;
  readonly tx_index: number;
  readonly leaves: string;
}

/** Exactly the leaves whose roots were signed are stored. */
export async function compareLeaves(tx: Tx, replay: Replay): Promise<void> {
  const left = new Map(replay.leaves);
  const problem = (block: number, what: string): void => {
    replay.problems.push({ table: 'ledger_leaves', block, what });
  };
  for (let after: readonly [bigint, number] = [-1n, 0]; ;) {
    const rows = await tx.query<LeavesRow>(
      `SELECT block, tx_index, leaves FROM ledger_leaves WHERE (block, tx_index) > ($1::bigint, $2::integer)
       ORDER BY block, tx_index LIMIT $3`,
      [...after, limits.ledgerPageItems],
    );
    for (const { block, tx_index: txIndex, leaves } of rows) {
      const place = `${block}/${txIndex}`;
      const signed = left.get(place);
      left.delete(place);
      if (!signed) problem(Number(block), `transaction ${txIndex} has batched facts that it does not name`);
      else if (!isTextOf(leaves, signed)) problem(Number(block), `transaction ${txIndex} names other batched facts`);
    }
    const last = rows.at(-1);
    if (last === undefined || replay.problems.length >= limits.ledgerProblems) break;
    after = [last.block, last.tx_index];
  }
  for (const place of left.keys()) {
    const [block, txIndex] = place.split('/');
    problem(Number(block), `the batched facts of transaction ${txIndex} are missing`);
  }
}
