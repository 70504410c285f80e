/** What an explorer of the ledger shows. Both engines fill the same tables, so it asks neither. */

import { X509Certificate } from 'node:crypto';
import {
  parseId,
  refuse,
  type BlockHeader,
  type Fact,
  type JobId,
  type SignedHead,
  type TransactionRecord,
  type WorkerId,
} from '@assay/core';
import type { Tx } from '@assay/store';
import { compositeKey } from './composite-key.ts';
import { factsOfEvent, subjectOf, type EventFact } from './facts-of-event.ts';
import { readSignedHead } from './ledger-proofs.ts';
import { selectFacts } from './ledger-rows.ts';

/** A line of the list of blocks. */
export interface BlockSummary {
  readonly number: bigint;
  readonly hash: string;
  readonly header: BlockHeader;
}

export interface BlockDetail extends BlockSummary {
  /** Canonical JSON, which hashes to `hash`. */
  readonly headerText: string;
  readonly head: SignedHead;
}

/** A transaction at its place. */
export interface PlacedTransaction {
  readonly block: bigint;
  readonly txIndex: number;
  /** When its block was made. */
  readonly atMs: number;
  readonly record: TransactionRecord;
  /** What it made known; nothing where it does not count. */
  readonly facts: readonly EventFact[];
  /** The job that its facts or its first argument name. */
  readonly job: JobId | null;
  /** What the certificate of who asked calls them; null where the ledger has no such certificate. */
  readonly creatorName: string | null;
  /** Whether its id is its own: only then can it be found and proved by it. */
  readonly isIdentified: boolean;
}

/** A change of a record of the state by a transaction. */
export interface RecordChange extends PlacedTransaction {
  /** The record's JSON afterwards; null where it was deleted. */
  readonly value: string | null;
}

/** Where a transaction stands. */
export interface Place {
  readonly block: bigint;
  readonly txIndex: number;
}

/** What a text that somebody looks for names. */
export type Found =
  | { readonly kind: 'block'; readonly id: string }
  | { readonly kind: 'transaction'; readonly id: string }
  | { readonly kind: 'job'; readonly id: string }
  | { readonly kind: 'worker'; readonly id: string };

interface BlockColumns {
  readonly number: bigint;
  readonly hash: string;
  readonly header: string;
}

const blockColumns = 'number, hash, header';

/** The channel of the chain; null before its first block. */
export async function channelOf(tx: Tx): Promise<string | null> {
  const [row] = await tx.query<{ channel: string | null }>({
    name: 'ledger_channel',
    text: `SELECT header::json -> 'genesis' ->> 'channel' AS channel FROM ledger_block WHERE number = 0`,
  });
  return row?.channel ?? null;
}

/** At most `limit` blocks before block `before` (null: from the newest), newest first. */
export async function listBlocks(tx: Tx, before: bigint | null, limit: number): Promise<BlockSummary[]> {
  const text = `SELECT ${blockColumns} FROM ledger_block
    WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2`;
  return (await tx.query<BlockColumns>(text, [before, limit])).map(summaryOf);
}

/** At most `limit` blocks after block `after`, oldest first. */
export async function blocksAfter(tx: Tx, after: bigint, limit: number): Promise<BlockSummary[]> {
  const text = `SELECT ${blockColumns} FROM ledger_block WHERE number > $1 ORDER BY number LIMIT $2`;
  return (await tx.query<BlockColumns>({ name: 'ledger_blocks_after', text }, [after, limit])).map(summaryOf);
}

/** A block without its transactions; refuses `ledger.not_found`. */
export async function blockDetail(tx: Tx, number: bigint): Promise<BlockDetail> {
  const [row] = await tx.query<BlockColumns>(`SELECT ${blockColumns} FROM ledger_block WHERE number = $1`, [number]);
  if (row === undefined) throw refuse('ledger.not_found', 'the chain has no such block');
  return { ...summaryOf(row), headerText: row.header, head: await readSignedHead(tx, number) };
}

function summaryOf(row: BlockColumns): BlockSummary {
  return { number: row.number, hash: row.hash, header: JSON.parse(row.header) as BlockHeader };
}

interface TxColumns {
  readonly block: bigint;
  readonly tx_index: number;
  readonly tx_id: string;
  readonly transaction: string;
  readonly at_ms: bigint;
}

const txColumns = `t.block, t.tx_index, t.tx_id, t.transaction, (b.header::json ->> 'atMs')::bigint AS at_ms`;
const txTables = 'ledger_tx t JOIN ledger_block b ON b.number = t.block';

/** At most `limit` transactions of a block after index `after` (-1: from the first), in order. */
export async function transactionsOf(
  tx: Tx,
  block: bigint,
  after: number,
  limit: number,
): Promise<PlacedTransaction[]> {
  const text = `SELECT ${txColumns} FROM ${txTables}
    WHERE t.block = $1 AND t.tx_index > $2 ORDER BY t.tx_index LIMIT $3`;
  return placed(tx, await tx.query<TxColumns>(text, [block, after, limit]));
}

/** The transaction at a place; refuses `ledger.not_found`. */
export async function transactionAt(tx: Tx, { block, txIndex }: Place): Promise<PlacedTransaction> {
  const [found] = await transactionsOf(tx, block, txIndex - 1, 1);
  if (found?.txIndex !== txIndex) throw refuse('ledger.not_found', 'the block has no such transaction');
  return found;
}

/** The transaction with this id; refuses `ledger.not_found`. */
export async function transactionById(tx: Tx, txId: string): Promise<PlacedTransaction> {
  const rows = await tx.query<TxColumns>(`SELECT ${txColumns} FROM ${txTables} WHERE t.tx_id = $1`, [txId]);
  const [found] = await placed(tx, rows);
  if (found === undefined) throw refuse('ledger.not_found', 'the chain has no such transaction');
  return found;
}

async function placed(tx: Tx, rows: readonly TxColumns[]): Promise<PlacedTransaction[]> {
  const read = rows.map((row) => ({ row, record: JSON.parse(row.transaction) as TransactionRecord }));
  const names = await creatorNames(tx, [...new Set(read.map(({ record }) => record.creator.certificate))]);
  return read.map(({ row, record }) => {
    const facts = record.code === 0 ? factsOfEvent(record.event) : [];
    const named = [...facts.map((fact) => subjectOf(fact.payload)), ...record.args];
    return {
      block: row.block,
      txIndex: row.tx_index,
      atMs: Number(row.at_ms),
      record,
      facts,
      job: named.map((one) => parseId('job', one)).find((id) => id !== undefined) ?? null,
      creatorName: names.get(record.creator.certificate) ?? null,
      isIdentified: row.tx_id === record.txId,
    };
  });
}

/** What certificates call their holders, by fingerprint. */
async function creatorNames(tx: Tx, fingerprints: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  const text = 'SELECT fingerprint, certificate FROM ledger_creator WHERE fingerprint = ANY ($1::text[])';
  const rows = await tx.query<{ fingerprint: string; certificate: string }>(text, [fingerprints]);
  return new Map(rows.map((row) => [row.fingerprint, commonNameOf(row.certificate)]));
}

function commonNameOf(certificate: string): string | null {
  try {
    return /^CN=(.{1,100})$/m.exec(new X509Certificate(certificate).subject)?.[1] ?? null;
  } catch {
    // A network's members bring what certificates they like.
    return null;
  }
}

/** The facts about a job in order, after position `after`. */
export function factsOfJob(tx: Tx, job: JobId, after: bigint, limit: number): Promise<Fact[]> {
  return selectFacts(tx, 'job = $1 AND position > $2 ORDER BY position LIMIT $3', [job, after, limit]);
}

/** At most `limit` facts before position `before` (null: from the newest), newest first; of one job or of all. */
export function listFacts(tx: Tx, job: JobId | null, before: bigint | null, limit: number): Promise<Fact[]> {
  // The two are apart so that each walks along its own index.
  if (job === null) {
    return selectFacts(tx, '($1::bigint IS NULL OR position < $1) ORDER BY position DESC LIMIT $2', [before, limit]);
  }
  const text = 'job = $1 AND ($2::bigint IS NULL OR position < $2) ORDER BY position DESC LIMIT $3';
  return selectFacts(tx, text, [job, before, limit]);
}

/** At most `limit` changes of a worker's record before a place (null: from the newest), newest first. */
export async function historyOfWorker(
  tx: Tx,
  worker: WorkerId,
  before: Place | null,
  limit: number,
): Promise<RecordChange[]> {
  const key = compositeKey('reputation', [worker]);
  const text = `SELECT ${txColumns} FROM (
      SELECT block, tx_index FROM ledger_history
      WHERE key = $1 AND ($2::bigint IS NULL OR (block, tx_index) < ($2, $3::integer))
      ORDER BY block DESC, tx_index DESC LIMIT $4
    ) h JOIN ledger_tx t ON t.block = h.block AND t.tx_index = h.tx_index JOIN ledger_block b ON b.number = t.block
    ORDER BY t.block DESC, t.tx_index DESC`;
  const bounds = [before?.block ?? null, before?.txIndex ?? null];
  const changes = await placed(tx, await tx.query<TxColumns>(text, [Buffer.from(key), ...bounds, limit]));
  return changes.map((one) => ({
    ...one,
    value: one.record.writes.findLast(([written]) => written === key)?.[1] ?? null,
  }));
}

/** What `text` names: a block by number or hash, a transaction, a job or a worker; refuses `ledger.not_found`. */
export async function findOnLedger(tx: Tx, text: string): Promise<Found> {
  const found = (await findBlock(tx, text)) ?? (await findTransaction(tx, text)) ?? (await findSubject(tx, text));
  if (found === undefined) throw refuse('ledger.not_found', 'the ledger has nothing of that number or id');
  return found;
}

async function findBlock(tx: Tx, text: string): Promise<Found | undefined> {
  const isHash = /^[0-9a-f]{64}$/.test(text);
  if (!isHash && (!/^\d{1,19}$/.test(text) || BigInt(text) >= 2n ** 63n)) return undefined;
  const rows = isHash
    ? await tx.query<{ number: bigint }>('SELECT number FROM ledger_block WHERE hash = $1', [text])
    : await tx.query<{ number: bigint }>('SELECT number FROM ledger_block WHERE number = $1', [BigInt(text)]);
  return rows[0] && { kind: 'block', id: rows[0].number.toString() };
}

async function findTransaction(tx: Tx, text: string): Promise<Found | undefined> {
  if (!/^[0-9a-f]{64}$/.test(text)) return undefined;
  const [row] = await tx.query<{ tx_id: string }>('SELECT tx_id FROM ledger_tx WHERE tx_id = $1', [text]);
  return row && { kind: 'transaction', id: row.tx_id };
}

async function findSubject(tx: Tx, text: string): Promise<Found | undefined> {
  const job = parseId('job', text);
  if (job !== undefined) return (await listFacts(tx, job, null, 1)).length > 0 ? { kind: 'job', id: job } : undefined;
  const worker = parseId('worker', text);
  if (worker === undefined) return undefined;
  const key = Buffer.from(compositeKey('reputation', [worker]));
  const [row] = await tx.query<{ block: bigint }>('SELECT block FROM ledger_history WHERE key = $1 LIMIT 1', [key]);
  return row && { kind: 'worker', id: worker };
}
