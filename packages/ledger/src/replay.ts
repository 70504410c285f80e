/** Replays blocks from the first: what the headers and transactions alone say must follow from them. */

import {
  canonicalJson,
  transactionCodes,
  type BlockHeader,
  type CanonicalValue,
  type TransactionRecord,
} from '@assay/core';
import { asHash, blockHashOf, isSigned, noBlock, txIdOf, txRootOf } from './block.ts';
import { appendLeaf, rootOfPeaks, type TreeNode } from './chain-tree.ts';
import { checkExecution } from './check-execution.ts';
import { creatorsUnder, type FindCreator } from './creators.ts';
import type { Endorse } from './endorse.ts';
import { factsOfEvent, subjectOf } from './facts-of-event.ts';
import type { Leaves } from './leaves.ts';
import { memoryState, type MemoryState } from './memory-state.ts';
import { messageOfRecord } from './proposal.ts';
import { checkSignatures } from './signature-pool.ts';
import type { StateEntry } from './state-reader.ts';
import { validate } from './validate.ts';

/** Something in a table that does not follow from the chain, or a broken chain. */
export interface LedgerProblem {
  readonly table: string;
  readonly block: number | null;
  readonly what: string;
}

export interface StoredBlock {
  readonly number: bigint;
  readonly header: string;
  readonly hash: string;
  readonly chain_root: string;
  readonly signature: string;
}

export interface StoredTransaction {
  readonly tx_index: number;
  readonly tx_id: string;
  readonly idempotency_key: string;
  readonly code: number;
  readonly transaction: string;
}

/** What a fact's row must hold. */
interface ReplayedFact {
  readonly block: number;
  readonly txIndex: number;
  readonly txId: string;
  readonly contract: string;
  readonly name: string;
  readonly payload: string;
  readonly job: string | null;
  readonly atMs: number;
}

/** What replay knows after the blocks so far. */
export interface Replay {
  readonly state: MemoryState;
  readonly facts: ReplayedFact[];
  /** `key/block/txIndex` of every valid write, the key in hex. */
  readonly history: Set<string>;
  readonly nodes: TreeNode[];
  readonly creators: Set<string>;
  /** By `block/txIndex`. */
  readonly leaves: Map<string, Leaves>;
  readonly problems: LedgerProblem[];
  peaks: string[];
  previous: string;
  next: number;
  atMs: number;
  transactions: number;
  publicKey: string;
  channel: string;
  /** Who may sign, by the authorities of block 0. */
  creatorOf: FindCreator;
  readonly keys: Set<string>;
  readonly txIds: Set<string>;
}

export function startReplay(): Replay {
  return {
    state: memoryState(),
    facts: [],
    history: new Set(),
    nodes: [],
    creators: new Set(),
    leaves: new Map(),
    problems: [],
    peaks: [],
    previous: noBlock,
    next: 0,
    atMs: 0,
    transactions: 0,
    publicKey: '',
    channel: '',
    creatorOf: () => undefined,
    keys: new Set(),
    txIds: new Set(),
  };
}

/** What a chain is checked with besides itself. */
export interface Evidence {
  /** The stored certificates by fingerprint. */
  readonly certificates: ReadonlyMap<string, string>;
  /** Run a contract again, to compare what comes out: the deeper check. One for each version that may have run it. */
  readonly endorse: readonly Endorse[];
}

/** Notes a problem of the block that is checked. */
export type Report = (table: string, what: string) => void;

/** Checks one block against all before it and applies it. */
export async function replayBlock(
  replay: Replay,
  stored: StoredBlock,
  rows: readonly StoredTransaction[],
  evidence: Evidence,
): Promise<void> {
  const number = Number(stored.number);
  const problem: Report = (table, what) => {
    replay.problems.push({ table, block: number, what });
  };
  const header = parsed<BlockHeader>(stored.header, ['block', 'previous', 'txRoot', 'txCount', 'atMs']);
  if (header === undefined) return problem('ledger_block', 'the header is not a header in canonical JSON');
  checkHeader(replay, stored, header, problem);
  const texts = rows.map((row) => row.transaction);
  if (rows.some((row, index) => row.tx_index !== index) || header.txCount !== rows.length) {
    problem('ledger_tx', 'the transactions are not numbered 0 to txCount - 1');
  }
  if (header.txRoot !== txRootOf(texts))
    problem('ledger_tx', 'the transactions do not hash to the txRoot of the header');
  const writes = new Map<string, StateEntry | null>();
  const signed: Placed[] = [];
  const valid: Placed[] = [];
  for (const row of rows) {
    const record = parsed<TransactionRecord>(row.transaction, recordMembers);
    if (record === undefined) {
      problem('ledger_tx', `transaction ${row.tx_index} is not a transaction in canonical JSON`);
      continue;
    }
    checkTransaction(replay, row, record, problem);
    signed.push({ record, txIndex: row.tx_index });
    if (record.leaves) replay.leaves.set(`${number}/${row.tx_index}`, record.leaves);
    await checkExecution(replay, record, evidence, problem);
    const code = await validate(record, { reader: replay.state, writes });
    if (code !== record.code) problem('ledger_tx', `transaction ${row.tx_index} has code ${record.code}, not ${code}`);
    if (record.code !== transactionCodes.valid) continue;
    valid.push({ record, txIndex: row.tx_index });
    for (const [key, value] of record.writes) {
      writes.set(key, value === null ? null : { key, value, version: [number, row.tx_index] });
    }
  }
  if (header.ordered === undefined) await checkCreators(replay, signed, evidence, problem);
  for (const { record, txIndex } of valid) applyTransaction(replay, header, record, txIndex);
  replay.transactions += rows.length;
}

interface Placed {
  readonly record: TransactionRecord;
  readonly txIndex: number;
}

function checkHeader(replay: Replay, stored: StoredBlock, header: BlockHeader, problem: Report): void {
  const number = Number(stored.number);
  if (number !== replay.next || header.block !== number)
    problem('ledger_block', 'the blocks are not numbered in order');
  if (header.previous !== replay.previous) problem('ledger_block', 'the header does not name the block before');
  if (header.atMs < replay.atMs) problem('ledger_block', 'the block is older than the one before');
  const blockHash = blockHashOf(header);
  if (blockHash !== stored.hash) problem('ledger_block', 'the header does not hash to the hash');
  if (number === 0) {
    replay.publicKey = header.genesis?.publicKey ?? '';
    replay.channel = header.genesis?.channel ?? '';
    replay.creatorOf = creatorsUnder(header.genesis?.authorities ?? []);
  }
  const { peaks, nodes } = appendLeaf(replay.peaks, BigInt(replay.next), blockHash);
  const chainRoot = rootOfPeaks(peaks);
  if (chainRoot !== stored.chain_root) problem('ledger_block', 'the chain root is not that of the blocks so far');
  const head = { block: BigInt(replay.next), blockHash, chainRoot: asHash(chainRoot), atMs: header.atMs };
  if (!isSigned({ ...head, publicKey: replay.publicKey, signature: stored.signature })) {
    problem('ledger_block', 'the head is not signed by the key of block 0');
  }
  replay.nodes.push(...nodes);
  replay.peaks = peaks;
  replay.previous = blockHash;
  replay.next += 1;
  replay.atMs = header.atMs;
}

function checkTransaction(replay: Replay, row: StoredTransaction, record: TransactionRecord, problem: Report): void {
  const name = `transaction ${row.tx_index}`;
  if (record.txId !== row.tx_id) problem('ledger_tx', `${name} has another tx_id than its text`);
  if (record.key !== row.idempotency_key) problem('ledger_tx', `${name} has another idempotency_key than its text`);
  if (record.code !== row.code) problem('ledger_tx', `${name} has another code than its text`);
  const creator = { mspId: record.creator.mspId, fingerprint: record.creator.certificate };
  if (!/^[0-9a-f]{64}$/.test(record.nonce) || record.txId !== txIdOf(record.nonce, creator)) {
    problem('ledger_tx', `${name} has a tx_id that does not follow from its nonce and creator`);
  }
  if (replay.txIds.has(record.txId)) problem('ledger_tx', `${name} has the tx_id of another one before it`);
  replay.txIds.add(record.txId);
  if (record.code === transactionCodes.valid) {
    if (replay.keys.has(record.key)) problem('ledger_tx', `${name} commits a key for the second time`);
    replay.keys.add(record.key);
  }
  replay.creators.add(`${record.creator.certificate}/${record.creator.mspId}`);
}

/** Every transaction is signed by whom it names, with a certificate from an authority of block 0. */
async function checkCreators(
  replay: Replay,
  transactions: readonly Placed[],
  { certificates }: Evidence,
  problem: Report,
): Promise<void> {
  const checks = transactions.flatMap(({ record, txIndex }) => {
    const { certificate, mspId } = record.creator;
    const creator = replay.creatorOf(certificates.get(certificate) ?? '');
    if (creator?.fingerprint !== certificate || creator.mspId !== mspId) {
      problem('ledger_tx', `transaction ${txIndex} names a creator without a certificate of an authority of block 0`);
      return [];
    }
    const message = messageOfRecord(replay.channel, record);
    return [{ publicKey: creator.publicKey, message, signature: record.signature ?? '', txIndex }];
  });
  const verdicts = await checkSignatures(checks);
  for (const [index, { txIndex }] of checks.entries()) {
    if (verdicts[index] !== true) problem('ledger_tx', `transaction ${txIndex} is not signed by its creator`);
  }
}

function applyTransaction(replay: Replay, header: BlockHeader, record: TransactionRecord, txIndex: number): void {
  const { block, atMs } = header;
  replay.state.apply(record.writes, { txId: record.txId, atMs: record.atMs, version: [block, txIndex] });
  for (const [key] of record.writes) replay.history.add(`${Buffer.from(key).toString('hex')}/${block}/${txIndex}`);
  for (const { name, payload } of factsOfEvent(record.event)) {
    const { txId, contract } = record;
    replay.facts.push({ block, txIndex, txId, contract, name, payload, job: subjectOf(payload), atMs });
  }
}

const recordMembers = [
  'txId',
  'key',
  'contract',
  'fn',
  'args',
  'creator',
  'nonce',
  'reads',
  'ranges',
  'writes',
  'event',
  'result',
  'code',
];

/** The object in a text of canonical JSON that has these members, or undefined for any other text. */
function parsed<Value>(text: string, members: readonly string[]): Value | undefined {
  try {
    const value = JSON.parse(text) as CanonicalValue;
    const fits = typeof value === 'object' && value !== null && members.every((name) => Object.hasOwn(value, name));
    return fits && canonicalJson(value) === text ? (value as unknown as Value) : undefined;
  } catch {
    return undefined;
  }
}
