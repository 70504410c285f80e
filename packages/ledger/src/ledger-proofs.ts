/** Heads and paths as they are stored. */

import { merklePath, refuse, utf8, type BlockHeader, type Sha256Hex, type SignedHead } from '@assay/core';
import type { Tx } from '@assay/store';
import { asHash, isSigned, sha256 } from './block.ts';
import { peaksAt, rootOfPeaks } from './chain-tree.ts';
import { nodeReader, readHead } from './ledger-rows.ts';

interface BlockColumns {
  header: string;
  hash: string;
  chain_root: string;
  signature: string;
}

/** The head that a block made; refuses `ledger.not_found`. */
export async function readSignedHead(tx: Tx, block: bigint): Promise<SignedHead> {
  const text = 'SELECT header, hash, chain_root, signature FROM ledger_block WHERE number = $1';
  const [row] = await tx.query<BlockColumns>({ name: 'ledger_block', text }, [block]);
  if (row === undefined) throw refuse('ledger.not_found', 'the chain has no such block');
  const { atMs } = JSON.parse(row.header) as BlockHeader;
  const publicKey = await publicKeyOfChain(tx);
  return {
    block,
    blockHash: asHash(row.hash),
    chainRoot: asHash(row.chain_root),
    atMs,
    publicKey,
    signature: row.signature,
  };
}

/** The key that block 0 names. */
async function publicKeyOfChain(tx: Tx): Promise<string> {
  const text = `SELECT header::json -> 'genesis' ->> 'publicKey' AS key FROM ledger_block WHERE number = 0`;
  const [row] = await tx.query<{ key: string }>({ name: 'ledger_key', text });
  return row?.key ?? '';
}

/** The transaction with its path and its block's header; refuses `ledger.not_found`. */
export async function txPathOf(tx: Tx, txId: Sha256Hex) {
  const [place] = await tx.query<{ block: bigint; tx_index: number; header: string }>(
    'SELECT t.block, t.tx_index, b.header FROM ledger_tx t JOIN ledger_block b ON b.number = t.block WHERE t.tx_id = $1',
    [txId],
  );
  if (place === undefined) throw refuse('ledger.not_found', 'the chain has no such transaction');
  const rows = await tx.query<{ transaction: string }>(
    'SELECT transaction FROM ledger_tx WHERE block = $1 ORDER BY tx_index',
    [place.block],
  );
  const leaves = rows.map((row) => utf8(row.transaction));
  const txPath = merklePath(sha256, leaves, place.tx_index);
  const transaction = rows[place.tx_index]?.transaction ?? '';
  const transactions = { transaction, txCount: rows.length, txPath };
  return { block: place.block, txIndex: place.tx_index, header: place.header, transactions };
}

/**
 * Whether the chain still begins with what a kept head signed: the key, the block and the root over all blocks before
 * it. Rewriting or cutting off history fails here, whoever signed the new one.
 */
export async function isConsistent(tx: Tx, kept: SignedHead): Promise<boolean> {
  if (!isSigned(kept) || kept.block >= (await readHead(tx)).nextBlock) return false;
  const now = await readSignedHead(tx, kept.block);
  const peaks = await peaksAt(kept.block + 1n, nodeReader(tx));
  return (
    now.publicKey === kept.publicKey &&
    now.blockHash === kept.blockHash &&
    now.atMs === kept.atMs &&
    rootOfPeaks(peaks) === kept.chainRoot
  );
}
