/** Replays blocks from the first: what the headers and transactions alone say must follow from them. */

import {
  canonicalJson,
  transactionCodes,
  type BlockHeader,
  type CanonicalValue,
  type TransactionRecord,
} from '@assay/core';
import { asHash, blockHashOf, isSigned, nonceOf, noBlock, txIdOf, txRootOf } from './block.ts';
import { appendLeaf, rootOfPeaks, type TreeNode } from './chain-tree.ts';
import type { Endorse } from './endorse.ts';
import { factsOfEvent, subjectOf } from './facts-of-event.ts';
import { timestampOf } from './fabric-runtime.ts';
import { memoryState, type MemoryState } from './memory-state.ts';
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
  readonly problems: LedgerProblem[];
  peaks: string[];
  previous: string;
  next: number;
  atMs: number;
  transactions: number;
  publicKey: string;
  readonly keys: Set<string>;
  readonly attempts: Map<string, number>;
}

export function startReplay(): Replay {
  return {
    state: memoryState(),
    facts: [],
    history: new Set(),
    nodes: [],
    creators: new Set(),
    problems: [],
    peaks: [],
    previous: noBlock,
    next: 0,
    atMs: 0,
    transactions: 0,
    publicKey: '',
    keys: new Set(),
    attempts: new Map(),
  };
}

/** Runs a contract again and compares: the deeper check. */
export interface Execution {
  readonly endorse: Endorse;
  readonly channel: string;
  readonly certificates: ReadonlyMap<string, string>;
}

/** Checks one block against all before it and applies it. */
export async function replayBlock(
  replay: Replay,
  stored: StoredBlock,
  rows: readonly StoredTransaction[],
  execution: Execution | null,
): Promise<void> {
  const number = Number(stored.number);
  const problem = (table: string, what: string): void => {
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
  const valid: { record: TransactionRecord; txIndex: number }[] = [];
  for (const row of rows) {
    const record = parsed<TransactionRecord>(row.transaction, recordMembers);
    if (record === undefined) {
      problem('ledger_tx', `transaction ${row.tx_index} is not a transaction in canonical JSON`);
      continue;
    }
    checkTransaction(replay, row, record, problem);
    if (execution) await checkExecution(replay, record, execution, problem);
    const code = await validate(record, { reader: replay.state, writes });
    if (code !== record.code) problem('ledger_tx', `transaction ${row.tx_index} has code ${record.code}, not ${code}`);
    if (record.code !== transactionCodes.valid) continue;
    valid.push({ record, txIndex: row.tx_index });
    for (const [key, value] of record.writes) {
      writes.set(key, value === null ? null : { key, value, version: [number, row.tx_index] });
    }
  }
  for (const { record, txIndex } of valid) applyTransaction(replay, header, record, txIndex);
  replay.transactions += rows.length;
}

function checkHeader(
  replay: Replay,
  stored: StoredBlock,
  header: BlockHeader,
  problem: (table: string, what: string) => void,
): void {
  const number = Number(stored.number);
  if (number !== replay.next || header.block !== number)
    problem('ledger_block', 'the blocks are not numbered in order');
  if (header.previous !== replay.previous) problem('ledger_block', 'the header does not name the block before');
  if (header.atMs < replay.atMs) problem('ledger_block', 'the block is older than the one before');
  const blockHash = blockHashOf(header);
  if (blockHash !== stored.hash) problem('ledger_block', 'the header does not hash to the hash');
  if (number === 0) replay.publicKey = header.genesis?.publicKey ?? '';
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

function checkTransaction(
  replay: Replay,
  row: StoredTransaction,
  record: TransactionRecord,
  problem: (table: string, what: string) => void,
): void {
  const name = `transaction ${row.tx_index}`;
  if (record.txId !== row.tx_id) problem('ledger_tx', `${name} has another tx_id than its text`);
  if (record.key !== row.idempotency_key) problem('ledger_tx', `${name} has another idempotency_key than its text`);
  if (record.code !== row.code) problem('ledger_tx', `${name} has another code than its text`);
  const attempt = replay.attempts.get(record.key) ?? 0;
  replay.attempts.set(record.key, attempt + 1);
  const creator = { mspId: record.creator.mspId, fingerprint: record.creator.certificate };
  if (
    record.nonce !== nonceOf({ idempotencyKey: record.key }, attempt) ||
    record.txId !== txIdOf(record.nonce, creator)
  ) {
    problem('ledger_tx', `${name} has a tx_id that does not follow from its key and creator`);
  }
  if (record.code === transactionCodes.valid) {
    if (replay.keys.has(record.key)) problem('ledger_tx', `${name} commits a key for the second time`);
    replay.keys.add(record.key);
  }
  replay.creators.add(`${record.creator.certificate}/${record.creator.mspId}`);
}

/** A contract is a function of its arguments and what it read: a transaction of the serial engine must come out again. */
async function checkExecution(
  replay: Replay,
  record: TransactionRecord,
  execution: Execution,
  problem: (table: string, what: string) => void,
): Promise<void> {
  const { contract, fn, args, txId, creator } = record;
  const certificate = execution.certificates.get(creator.certificate);
  // Only what was read as it stands now can be executed again; the others were conflicts or read an older state.
  const current = await validate(record, { reader: replay.state, writes: new Map() });
  if (certificate === undefined || current !== transactionCodes.valid) return;
  const proposal = {
    contract,
    fn,
    args,
    txId,
    channel: execution.channel,
    mspId: creator.mspId,
    certificate,
    timestamp: timestampOf(record.atMs),
  };
  const get = async (key: string): Promise<StateEntry | undefined> => (await replay.state.getMany([key])).get(key);
  const again = await execution.endorse(proposal, get, replay.state);
  const { reads, ranges, writes, event, result } = record;
  const expected = canonicalJson({ reads, ranges, writes, event, result });
  const outcome = again.kind === 'endorsed' ? { ...again.set, result: again.result } : { refused: again.message };
  if (canonicalJson(outcome) !== expected) {
    problem('ledger_tx', `${contract}:${fn} gives another outcome when it runs again`);
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

const recordMembers = ['txId', 'key', 'creator', 'nonce', 'reads', 'ranges', 'writes', 'event', 'result', 'code'];

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
