/**
 * Whether what a page shows is what was checked. A proof, a header or a receipt may hold by itself and yet be that of
 * something else than what stands beside it.
 */

import type { Block, LedgerTransaction } from '@assay/client';
import { isoTime, type BlockHeader, type TransactionRecord } from '@assay/core';
import { verifyBlock, verifyProof, type BlockVerdict, type ProofVerdict, type ReceiptVerdict } from '@assay/verify';

const code = 'receipt.invalid';

/** The verdict on the block that was asked for by `number`, with everything that the page says of it. */
export function checkBlock(number: string, block: Block): BlockVerdict {
  const verdict = verifyBlock(block);
  if (!verdict.ok) return verdict;
  const header = JSON.parse(block.header) as BlockHeader;
  const { ordered, genesis } = header;
  const isShown = same(
    [number, block.number, block.hash, block.previousHash, block.txRoot, block.txCount, block.at],
    [String(header.block), String(header.block), block.head.blockHash, header.previous, header.txRoot, header.txCount],
    [isoTime(header.atMs)],
  );
  const isOrdered = same([block.ordered?.hash, block.ordered?.data], [ordered?.hash, ordered?.data]);
  const isGenesis = same(
    [block.genesis?.channel, block.genesis?.publicKey, block.genesis?.organizations],
    [genesis?.channel, genesis?.publicKey, genesis?.authorities.map(({ mspId }) => mspId)],
  );
  if (isShown && isOrdered && isGenesis) return verdict;
  return { ok: false, code, message: 'the server shows other things of the block than its header says' };
}

/** The verdict on the proof of a transaction, with what the page says of that: its place, call, outcome and asker. */
export function checkProof(shown: LedgerTransaction, text: string): ProofVerdict {
  const verdict = verifyProof(text);
  if (!verdict.ok) return verdict;
  const { summary } = verdict;
  const { transaction } = JSON.parse(text) as { readonly transaction: string };
  const { args, creator } = JSON.parse(transaction) as TransactionRecord;
  const isSame = same(
    [shown.txId, `${shown.contract}.${shown.fn}`, shown.code, shown.block, shown.index, shown.args],
    [summary.txId, summary.call, summary.code, String(summary.block), summary.txIndex, args],
  );
  if (isSame && same([shown.creator.mspId, shown.creator.certificate], [creator.mspId, creator.certificate])) {
    return verdict;
  }
  return { ok: false, part: 'inclusion', code, message: 'the proof is that of another transaction than is shown' };
}

/** The verdict on a receipt as that of the job. */
export function receiptOf(jobId: string, verdict: ReceiptVerdict): ReceiptVerdict {
  if (!verdict.ok || verdict.summary.job === jobId) return verdict;
  return { ok: false, part: 'shape', code, message: `the receipt is that of ${verdict.summary.job}` };
}

function same(shown: readonly unknown[], ...proven: readonly (readonly unknown[])[]): boolean {
  return JSON.stringify(shown) === JSON.stringify(proven.flat());
}
