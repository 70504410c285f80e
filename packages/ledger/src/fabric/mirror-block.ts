/**
 * Fabric's blocks as the ledger's own: block n here is block n there, with every envelope as a transaction at the same
 * place. The header carries the hash of Fabric's header, and the ledger's key signs what it saw. Pure: the same blocks
 * give the same rows, so that anybody with access to a peer can make them again and compare.
 */

import type { BlockHeader, ContractName, Fact, TransactionRecord } from '@assay/core';
import { asHash, transactionText, txRootOf } from '../block.ts';
import { factsOfEvent } from '../facts-of-event.ts';
import type { LedgerKey, Member } from '../keys.ts';
import type { BlockRows, HeadRow } from '../ledger-rows.ts';
import { sealed } from '../make-block.ts';
import type { StateEntry } from '../state-reader.ts';
import type { DecodedBlock, DecodedTransaction } from './decode-block.ts';
import { storableText } from './storable.ts';

/** The rows of `block` after `head`; `genesis` belongs to block 0 alone. */
export function mirrorBlock(
  head: HeadRow,
  block: DecodedBlock,
  key: LedgerKey,
  genesis?: NonNullable<BlockHeader['genesis']>,
): BlockRows {
  const records = block.transactions.map((one): TransactionRecord => ({
    ...one.record,
    code: one.code as TransactionRecord['code'],
  }));
  const texts = records.map(transactionText);
  const header: BlockHeader = {
    block: block.number,
    previous: head.hash,
    txRoot: txRootOf(texts),
    txCount: texts.length,
    atMs: timeOf(head, block),
    ordered: { hash: block.hash, previous: block.previousHash, data: block.dataHash },
    ...(genesis ? { genesis } : {}),
  };
  const transactions = block.transactions.map(({ record, code }, txIndex) => {
    // Ids and keys belong to what counts. What does not may bear any text as its id, also that of another.
    const txId = code === 0 ? record.txId : `invalid/${block.number}/${txIndex}`;
    return { txId, key: code === 0 ? record.key : txId, code, transaction: texts[txIndex] ?? '' };
  });
  return {
    ...sealed(head, header, key),
    transactions,
    ...effectsOf(head, block, header.atMs),
    leaves: [],
    members: membersOf(block),
  };
}

/** Blocks of Fabric bear no time: the latest of those that endorsers vouched for, never going back. */
function timeOf(head: HeadRow, block: DecodedBlock): number {
  const counted = block.transactions.filter((one) => block.number === 0 || counts(one));
  return Math.max(head.atMs, ...counted.map((one) => one.record.atMs));
}

function counts({ isOurs, code }: DecodedTransaction): boolean {
  return isOurs && code === 0;
}

function effectsOf(head: HeadRow, block: DecodedBlock, atMs: number) {
  const writes = new Map<string, StateEntry | null>();
  const history: { key: string; txIndex: number }[] = [];
  const facts: Fact[] = [];
  for (const [txIndex, one] of block.transactions.entries()) {
    if (!counts(one)) continue;
    const { txId, contract, event } = one.record;
    for (const [key, value] of one.record.writes) {
      writes.set(key, value === null ? null : { key, value, version: [block.number, txIndex] });
    }
    for (const key of new Set(one.record.writes.map(([written]) => written))) history.push({ key, txIndex });
    for (const { name, payload } of factsOfEvent(event)) {
      const position = head.nextFact + BigInt(facts.length);
      const place = { position, block: BigInt(block.number), txIndex, txId: asHash(txId), atMs };
      facts.push({ ...place, contract: contract as ContractName, ...storableFact(name, payload) });
    }
  }
  return { writes, history, facts };
}

/** An event that is no list of facts may hold any text. */
function storableFact(name: string, payload: string): Pick<Fact, 'name' | 'payload'> {
  return { name: storableText(name), payload: payload.replaceAll('\0', '\ufffd') };
}

function membersOf(block: DecodedBlock): Member[] {
  const members = block.transactions.flatMap(({ member }) => (member ? [member] : []));
  return [...new Map(members.map((member) => [member.fingerprint, member])).values()];
}
