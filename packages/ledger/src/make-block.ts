/** Order, validate, commit: makes one block of endorsed transactions and all that follows from it. Pure but for reads. */

import {
  transactionCodes,
  type BlockHeader,
  type ContractName,
  type Fact,
  type Submission,
  type TransactionRecord,
} from '@assay/core';
import { asHash, blockHashOf, headerText, signHead, transactionText, txRootOf } from './block.ts';
import { appendLeaf, rootOfPeaks } from './chain-tree.ts';
import { factsOfEvent } from './facts-of-event.ts';
import type { LedgerKey, Member } from './keys.ts';
import { leavesText, type Leaves } from './leaves.ts';
import type { BlockRows, HeadRow } from './ledger-rows.ts';
import type { StateEntry, StateReader } from './state-reader.ts';
import type { ReadWriteSet } from './transaction-stub.ts';
import { validate } from './validate.ts';

/** A transaction that was executed and waits for its place in a block. */
export interface Endorsed {
  readonly submission: Submission;
  readonly member: Member;
  readonly nonce: string;
  readonly signature: string;
  readonly leaves?: Leaves | undefined;
  readonly txId: string;
  readonly atMs: number;
  readonly result: string;
  readonly set: ReadWriteSet;
}

/** The block over `endorsed`, in that order, after `head`. */
export async function makeBlock(
  head: HeadRow,
  endorsed: readonly Endorsed[],
  reader: StateReader,
  key: LedgerKey,
): Promise<BlockRows> {
  const block = Number(head.nextBlock);
  const atMs = Math.max(head.nowMs, head.atMs);
  // What all of them read is fetched at once; the rest of the state cannot change while the head is locked.
  const committed = await reader.getMany([...new Set(endorsed.flatMap(({ set }) => set.reads.map(([name]) => name)))]);
  const fetched = { ...reader, getMany: async () => committed };
  const writes = new Map<string, StateEntry | null>();
  const records: TransactionRecord[] = [];
  const history: { key: string; txIndex: number }[] = [];
  const facts: Fact[] = [];
  for (const [txIndex, one] of endorsed.entries()) {
    const code = await validate(one.set, { reader: fetched, writes });
    records.push(recordOf(one, code));
    if (code !== transactionCodes.valid) continue;
    for (const [written, value] of one.set.writes) {
      writes.set(written, value === null ? null : { key: written, value, version: [block, txIndex] });
      history.push({ key: written, txIndex });
    }
    for (const { name, payload } of factsOfEvent(one.set.event)) {
      const position = head.nextFact + BigInt(facts.length);
      const contract = one.submission.contract;
      facts.push({ position, block: head.nextBlock, txIndex, txId: asHash(one.txId), contract, name, payload, atMs });
    }
  }
  const texts = records.map(transactionText);
  const header = { block, previous: head.hash, txRoot: txRootOf(texts), txCount: texts.length, atMs };
  const transactions = records.map(({ txId, key: idempotencyKey, code }, index) => ({
    txId,
    key: idempotencyKey,
    code,
    transaction: texts[index] ?? '',
  }));
  const members = [...new Map(endorsed.map(({ member }) => [member.fingerprint, member])).values()];
  const leaves = endorsed.flatMap(({ submission }, txIndex) =>
    submission.leaves ? [{ txIndex, text: leavesText(submission.leaves) }] : [],
  );
  return { ...sealed(head, header, key), transactions, writes, history, facts, leaves, members };
}

/** Block 0: no transactions, but who signs blocks and who issues certificates. */
export function genesisBlock(head: HeadRow, key: LedgerKey, channel: string, mspIds: readonly string[]): BlockRows {
  const authorities = mspIds.map((mspId) => ({ mspId, certificate: key.authority(mspId) }));
  const genesis = { channel, publicKey: key.publicKey, authorities };
  const header = { block: 0, previous: head.hash, txRoot: txRootOf([]), txCount: 0, atMs: head.nowMs, genesis };
  return {
    ...sealed(head, header, key),
    transactions: [],
    writes: new Map(),
    history: [],
    facts: [],
    leaves: [],
    members: [],
  };
}

/** The head row as it stands after `rows`. */
export function headAfter(head: HeadRow, rows: BlockRows): HeadRow {
  return {
    nextBlock: head.nextBlock + 1n,
    nextFact: head.nextFact + BigInt(rows.facts.length),
    atMs: rows.header.atMs,
    hash: rows.head.blockHash,
    peaks: rows.peaks,
    nowMs: head.nowMs,
  };
}

/** The header, signed head and tree of a block after `head`. */
export function sealed(head: HeadRow, header: BlockHeader, key: LedgerKey) {
  const blockHash = blockHashOf(header);
  const { peaks, nodes } = appendLeaf(head.peaks, head.nextBlock, blockHash);
  const chainRoot = asHash(rootOfPeaks(peaks));
  const signed = signHead(key, { block: head.nextBlock, blockHash, chainRoot, atMs: header.atMs });
  return { header, headerText: headerText(header), head: signed, peaks, nodes };
}

function recordOf(one: Endorsed, code: TransactionRecord['code']): TransactionRecord {
  const { contract, fn, args, idempotencyKey } = one.submission;
  return {
    txId: one.txId,
    key: idempotencyKey,
    contract: contract satisfies ContractName,
    fn,
    args,
    creator: { mspId: one.member.mspId, certificate: one.member.fingerprint },
    nonce: one.nonce,
    atMs: one.atMs,
    ...one.set,
    result: one.result,
    code,
    signature: one.signature,
    ...(one.leaves && { leaves: one.leaves }),
  };
}
