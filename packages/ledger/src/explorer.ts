/** What an explorer of the ledger shows. */

import {
  limits,
  refuse,
  type BlockHeader,
  type Fact,
  type JobId,
  type SignedHead,
  type TransactionRecord,
} from '@assay/core';
import type { Tx } from '@assay/store';
import { readSignedHead } from './ledger-proofs.ts';
import { selectFacts, stateReader } from './ledger-rows.ts';
import type { KeyChange } from './state-reader.ts';

/** A line of the list of blocks. */
export interface BlockSummary {
  readonly number: bigint;
  readonly hash: string;
  readonly header: BlockHeader;
}

export interface BlockDetail extends BlockSummary {
  readonly head: SignedHead;
  readonly transactions: readonly TransactionRecord[];
  readonly facts: readonly Fact[];
}

interface BlockColumns {
  readonly number: bigint;
  readonly hash: string;
  readonly header: string;
}

/** At most `limit` blocks before block `before` (null: from the newest), newest first. */
export async function listBlocks(tx: Tx, before: bigint | null, limit: number): Promise<BlockSummary[]> {
  const text = `SELECT number, hash, header FROM ledger_block
    WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2`;
  const rows = await tx.query<BlockColumns>(text, [before, Math.min(limit, limits.pageItems)]);
  return rows.map((row) => ({ number: row.number, hash: row.hash, header: JSON.parse(row.header) as BlockHeader }));
}

/** A block with all that is in it; refuses `ledger.not_found`. */
export async function blockDetail(tx: Tx, number: bigint): Promise<BlockDetail> {
  const text = 'SELECT number, hash, header FROM ledger_block WHERE number = $1';
  const [row] = await tx.query<BlockColumns>(text, [number]);
  if (row === undefined) throw refuse('ledger.not_found', 'the chain has no such block');
  const transactions = await tx.query<{ transaction: string }>(
    'SELECT transaction FROM ledger_tx WHERE block = $1 ORDER BY tx_index',
    [number],
  );
  return {
    number: row.number,
    hash: row.hash,
    header: JSON.parse(row.header) as BlockHeader,
    head: await readSignedHead(tx, number),
    transactions: transactions.map((one) => JSON.parse(one.transaction) as TransactionRecord),
    facts: await selectFacts(tx, 'block = $1 ORDER BY position', [number]),
  };
}

/** The facts about a job in order, after position `after`. */
export function factsOfJob(tx: Tx, job: JobId, after: bigint, limit: number): Promise<Fact[]> {
  return selectFacts(tx, 'job = $1 AND position > $2 ORDER BY position LIMIT $3', [job, after, limit]);
}

/** Every change of a key of the state, newest first. */
export function historyOfKey(tx: Tx, key: string): Promise<readonly KeyChange[]> {
  return stateReader(tx).history(key);
}
