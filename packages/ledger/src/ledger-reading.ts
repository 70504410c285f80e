/** What every engine answers from the ledger's tables: facts, heads and proofs. */

import {
  Fault,
  refuse,
  type BlockHeader,
  type ConsistencyProof,
  type InclusionProof,
  type LeafProof,
  type Ledger,
  type Sha256Hex,
  type SignedHead,
} from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { asHash } from './block.ts';
import { consistencyPath, inclusionPath } from './chain-tree.ts';
import { readSignedHead, txPathOf } from './ledger-proofs.ts';
import { leafPath, readLeaves } from './leaves.ts';
import { nodeReader, readHead, selectFacts } from './ledger-rows.ts';

/** The reading half of the port. */
export function proofsOf(db: Database): Pick<Ledger, 'facts' | 'prove' | 'proveLeaf' | 'proveConsistency' | 'head'> {
  return {
    facts: (position, limit) =>
      reached(selectFacts(db, 'position >= $1 ORDER BY position LIMIT $2', [position, limit])),
    prove: (txId) => snapshot(db, async (tx) => proveIn(tx, txId, await newestHead(tx))),
    proveLeaf: (txId, index) => snapshot(db, async (tx) => leafProofIn(tx, txId, index, await newestHead(tx))),
    proveConsistency: (earlier) => snapshot(db, async (tx) => consistencyIn(tx, earlier, await newestHead(tx))),
    head: () => snapshot(db, newestHead),
  };
}

/** Refuses `config.invalid` where the tables hold the chain of another engine. */
export async function requireEngine(db: Database, engine: Ledger['engine']): Promise<void> {
  const [row] = await reached(db.query<{ header: string }>('SELECT header FROM ledger_block WHERE number = 0'));
  if (row === undefined) return;
  const found = (JSON.parse(row.header) as BlockHeader).ordered === undefined ? 'embedded' : 'fabric';
  if (found !== engine) {
    throw refuse('config.invalid', `this database holds the chain of the ${found} ledger, not of the ${engine} one`);
  }
}

async function newestHead(tx: Tx): Promise<SignedHead> {
  return readSignedHead(tx, (await readHead(tx)).nextBlock - 1n);
}

/** Several reads of one state of the database. */
export function snapshot<T>(db: Database, run: (tx: Tx) => Promise<T>): Promise<T> {
  return reached(
    db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return run(tx);
    }),
  );
}

/** To a caller of the ledger, a database that does not answer is a ledger that does not. */
export async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'store.unavailable') throw error;
    throw new Fault('ledger.unavailable', 'the database of the ledger does not answer', { cause: error, retry: true });
  }
}

async function proveIn(tx: Tx, txId: Sha256Hex, head: SignedHead): Promise<InclusionProof> {
  const { block, txIndex, transactions, header } = await txPathOf(tx, txId);
  const chainPath = await inclusionPath(block, head.block + 1n, nodeReader(tx));
  return { ...transactions, txIndex, header, chainPath: chainPath.map(asHash), head };
}

async function leafProofIn(tx: Tx, txId: Sha256Hex, index: number, head: SignedHead): Promise<LeafProof> {
  const leaves = await readLeaves(tx, txId);
  const leaf = leaves[index];
  if (leaf === undefined) throw refuse('ledger.not_found', 'the transaction has no such batched fact');
  return { leaf, index, path: leafPath(leaves, index), transaction: await proveIn(tx, txId, head) };
}

async function consistencyIn(tx: Tx, earlier: bigint, head: SignedHead): Promise<ConsistencyProof> {
  if (earlier < 0n || earlier > head.block) throw refuse('ledger.not_found', 'the chain has no such block');
  const path = await consistencyPath(earlier + 1n, head.block + 1n, nodeReader(tx));
  return { path: path.map(asHash), head };
}
