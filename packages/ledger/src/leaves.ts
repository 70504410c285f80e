/** Batched facts: texts that stand on the chain under the Merkle root that a transaction's creator signed. */

import {
  limits,
  merklePathOfHashes,
  merkleRootOfHex,
  refuse,
  type Refusal,
  type Sha256Hex,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import type { Tx } from '@assay/store';
import { sha256, sha256Hex } from './block.ts';

/** What a transaction says about its leaves. */
export type Leaves = NonNullable<TransactionRecord['leaves']>;

/** What is wrong with the leaves of a submission. */
export function leafProblem({ leaves }: Submission): Refusal | undefined {
  if (leaves === undefined) return undefined;
  if (leaves.length === 0) return refuse('request.malformed', 'a list of batched facts is not empty');
  if (leaves.length > limits.ledgerLeaves || leaves.some((leaf) => leaf.length > limits.ledgerLeafChars)) {
    const most = `at most ${limits.ledgerLeaves} batched facts of ${limits.ledgerLeafChars} characters`;
    return refuse('request.too_large', most);
  }
  if (!leaves.every((leaf) => leaf.isWellFormed())) {
    return refuse('request.malformed', 'a batched fact holds broken characters');
  }
  return undefined;
}

/** The summary that is signed. */
export function leavesOf({ leaves }: Pick<Submission, 'leaves'>): Leaves | undefined {
  return leaves && summaryOf(leaves);
}

function summaryOf(leaves: readonly string[]): Leaves {
  const hashes = leaves.map((leaf) => sha256Hex(`\0${leaf}`));
  return { count: leaves.length, root: merkleRootOfHex(sha256, hashes) };
}

/** As they are stored. */
export function leavesText(leaves: readonly string[]): string {
  return JSON.stringify(leaves);
}

/** Whether a stored text is exactly the leaves that a transaction names. */
export function isTextOf(text: string, { count, root }: Leaves): boolean {
  const leaves = parsed(text);
  if (leaves === undefined || leavesText(leaves) !== text) return false;
  const found = summaryOf(leaves);
  return found.count === count && found.root === root;
}

/** The path from one leaf to the root. */
export function leafPath(leaves: readonly string[], index: number): Sha256Hex[] {
  const hashes = leaves.map((leaf) => sha256(Buffer.from(`\0${leaf}`)));
  return merklePathOfHashes(sha256, hashes, index);
}

/** The leaves of a transaction; none for one that has none or is not there. */
export async function readLeaves(tx: Tx, txId: Sha256Hex): Promise<readonly string[]> {
  const [row] = await tx.query<{ leaves: string }>(
    'SELECT l.leaves FROM ledger_tx t JOIN ledger_leaves l USING (block, tx_index) WHERE t.tx_id = $1',
    [txId],
  );
  return row === undefined ? [] : (parsed(row.leaves) ?? []);
}

function parsed(text: string): string[] | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
