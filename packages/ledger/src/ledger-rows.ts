/** The ledger's tables: reading, and the one statement that writes a block with all its effects. */

import { limits, type BlockHeader, type Fact, type Sha256Hex, type SignedHead } from '@assay/core';
import type { Tx } from '@assay/store';
import { bigintArray, bytesArray, integerArray, smallArray, textArray } from './binary-arrays.ts';
import type { ReadNodes, TreeNode } from './chain-tree.ts';
import type { Member } from './keys.ts';
import { subjectOf } from './facts-of-event.ts';
import type { KeyChange, StateEntry, StateReader } from './state-reader.ts';

/** The row whose lock makes one writer. */
export interface HeadRow {
  readonly nextBlock: bigint;
  readonly nextFact: bigint;
  readonly atMs: number;
  readonly hash: string;
  readonly peaks: readonly string[];
  /** The database's clock. */
  readonly nowMs: number;
}

/** One line of a block. */
interface TxRow {
  readonly txId: string;
  readonly key: string;
  readonly code: number;
  readonly transaction: string;
}

export interface BlockRows {
  readonly header: BlockHeader;
  readonly headerText: string;
  readonly head: SignedHead;
  readonly transactions: readonly TxRow[];
  /** The last valid write of each key; null deletes. */
  readonly writes: ReadonlyMap<string, StateEntry | null>;
  readonly history: readonly Readonly<{ key: string; txIndex: number }>[];
  readonly facts: readonly Fact[];
  /** Of each transaction that has some. */
  readonly leaves: readonly Readonly<{ txIndex: number; text: string }>[];
  readonly nodes: readonly TreeNode[];
  readonly peaks: readonly string[];
  readonly members: readonly Member[];
}

interface HeadColumns {
  next_block: bigint;
  next_fact: bigint;
  at_ms: bigint;
  hash: string;
  peaks: string;
  now_ms: bigint;
}

const headColumns = `next_block, next_fact, at_ms, hash, peaks,
  floor(extract(epoch FROM assay_now()) * 1000)::bigint AS now_ms`;

/** Takes the writer's lock until the transaction ends. */
export async function lockHead(tx: Tx): Promise<HeadRow> {
  return headOf(
    await tx.query<HeadColumns>({
      name: 'ledger_lock',
      text: `SELECT ${headColumns} FROM ledger_head FOR UPDATE`,
    }),
  );
}

export async function readHead(tx: Tx): Promise<HeadRow> {
  return headOf(await tx.query<HeadColumns>({ name: 'ledger_head', text: `SELECT ${headColumns} FROM ledger_head` }));
}

function headOf([row]: readonly HeadColumns[]): HeadRow {
  if (row === undefined) throw new Error('the ledger has lost its head row');
  return {
    nextBlock: row.next_block,
    nextFact: row.next_fact,
    atMs: Number(row.at_ms),
    hash: row.hash,
    peaks: row.peaks === '' ? [] : row.peaks.split(','),
    nowMs: Number(row.now_ms),
  };
}

const writeBlock = {
  name: 'ledger_write_block',
  text: `
WITH block AS (
  INSERT INTO ledger_block (number, header, hash, chain_root, signature) VALUES ($1, $2, $3, $4, $5)
), tx AS (
  INSERT INTO ledger_tx (block, tx_index, tx_id, idempotency_key, code, transaction)
  SELECT $1, n - 1, tx_id, key, code, transaction
  FROM unnest($6::text[], $7::text[], $8::smallint[], $9::text[]) WITH ORDINALITY AS t (tx_id, key, code, transaction, n)
), put AS (
  INSERT INTO ledger_state (key, value, block, tx_index)
  SELECT key, value, $1, tx_index FROM unnest($10::bytea[], $11::bytea[], $12::integer[]) AS t (key, value, tx_index)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, block = excluded.block, tx_index = excluded.tx_index
), gone AS (
  DELETE FROM ledger_state WHERE key = ANY ($13::bytea[])
), history AS (
  INSERT INTO ledger_history (key, block, tx_index)
  SELECT key, $1, tx_index FROM unnest($14::bytea[], $15::integer[]) AS t (key, tx_index)
), fact AS (
  INSERT INTO ledger_fact (position, block, tx_index, tx_id, contract, name, payload, job, at_ms)
  SELECT $16 + n - 1, $1, tx_index, tx_id, contract, name, payload, job, $17
  FROM unnest($18::integer[], $19::text[], $20::text[], $21::text[], $22::text[], $30::text[])
    WITH ORDINALITY AS t (tx_index, tx_id, contract, name, payload, job, n)
), leaves AS (
  INSERT INTO ledger_leaves (block, tx_index, leaves)
  SELECT $1, tx_index, leaves FROM unnest($31::integer[], $32::text[]) AS t (tx_index, leaves)
), node AS (
  INSERT INTO ledger_node (level, position, hash)
  SELECT * FROM unnest($23::smallint[], $24::bigint[], $25::text[])
), creator AS (
  INSERT INTO ledger_creator (fingerprint, msp_id, certificate)
  SELECT * FROM unnest($26::text[], $27::text[], $28::text[])
  ON CONFLICT (fingerprint) DO NOTHING
), head AS (
  UPDATE ledger_head
  SET next_block = $1 + 1, next_fact = $16 + cardinality($18::integer[]), at_ms = $17, hash = $3, peaks = $29
)
SELECT pg_notify('ledger_fact', $1::text) WHERE cardinality($18::integer[]) > 0`,
};

/** Writes the block, its transactions and all that follows from them. */
export async function insertBlock(tx: Tx, rows: BlockRows, firstFact: bigint): Promise<void> {
  const puts = [...rows.writes].flatMap(([key, entry]) => (entry === null ? [] : [{ ...entry, key }]));
  const gone = [...rows.writes].flatMap(([key, entry]) => (entry === null ? [key] : []));
  const { head, transactions, history, facts, nodes, members } = rows;
  await tx.query(writeBlock, [
    head.block,
    rows.headerText,
    head.blockHash,
    head.chainRoot,
    head.signature,
    textArray(transactions.map((one) => one.txId)),
    textArray(transactions.map((one) => one.key)),
    smallArray(transactions.map((one) => one.code)),
    textArray(transactions.map((one) => one.transaction)),
    bytesArray(puts.map((one) => one.key)),
    bytesArray(puts.map((one) => one.value)),
    integerArray(puts.map((one) => one.version[1])),
    bytesArray(gone),
    bytesArray(history.map((one) => one.key)),
    integerArray(history.map((one) => one.txIndex)),
    firstFact,
    head.atMs,
    integerArray(facts.map((fact) => fact.txIndex)),
    textArray(facts.map((fact) => fact.txId)),
    textArray(facts.map((fact) => fact.contract)),
    textArray(facts.map((fact) => fact.name)),
    textArray(facts.map((fact) => fact.payload)),
    smallArray(nodes.map((node) => node.level)),
    bigintArray(nodes.map((node) => node.position)),
    textArray(nodes.map((node) => node.hash)),
    textArray(members.map((member) => member.fingerprint)),
    textArray(members.map((member) => member.mspId)),
    textArray(members.map((member) => member.certificate)),
    rows.peaks.join(','),
    textArray(facts.map((fact) => subjectOf(fact.payload))),
    integerArray(rows.leaves.map((one) => one.txIndex)),
    textArray(rows.leaves.map((one) => one.text)),
  ]);
}

interface StateColumns {
  key: Buffer;
  value: Buffer;
  block: bigint;
  tx_index: number;
}

function entryOf(row: StateColumns): StateEntry {
  return { key: row.key.toString(), value: row.value.toString(), version: [Number(row.block), row.tx_index] };
}

/** Committed state as this transaction sees it. */
export function stateReader(tx: Tx): StateReader {
  return {
    async getMany(keys) {
      if (keys.length === 0) return new Map();
      const text = 'SELECT key, value, block, tx_index FROM ledger_state WHERE key = ANY ($1::bytea[])';
      const rows = await tx.query<StateColumns>({ name: 'ledger_get', text }, [bytesArray(keys)]);
      return new Map(rows.map(entryOf).map((entry) => [entry.key, entry]));
    },
    async scan(start, end, after, limit) {
      const text = `SELECT key, value, block, tx_index FROM ledger_state
        WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2) AND ($3::bytea IS NULL OR key > $3) ORDER BY key LIMIT $4`;
      const bounds = [
        Buffer.from(start),
        end === '' ? null : Buffer.from(end),
        after === null ? null : Buffer.from(after),
      ];
      const values = [...bounds, limit];
      return (await tx.query<StateColumns>({ name: 'ledger_scan', text }, values)).map(entryOf);
    },
    history: (key) => keyHistory(tx, key),
  };
}

interface ChangeColumns {
  tx_id: string;
  transaction: string;
  block: bigint;
  tx_index: number;
}

/** Every valid change of a key, newest first. */
async function keyHistory(tx: Tx, key: string): Promise<KeyChange[]> {
  const text = `SELECT t.tx_id, t.transaction, h.block, h.tx_index
    FROM ledger_history h JOIN ledger_tx t USING (block, tx_index)
    WHERE h.key = $1 ORDER BY h.block DESC, h.tx_index DESC LIMIT $2`;
  const rows = await tx.query<ChangeColumns>({ name: 'ledger_key_history', text }, [
    Buffer.from(key),
    limits.ledgerQueryRows,
  ]);
  return rows.map((row) => {
    const record = JSON.parse(row.transaction) as { atMs: number; writes: [string, string | null][] };
    const value = record.writes.find(([written]) => written === key)?.[1] ?? null;
    return { txId: row.tx_id, value, atMs: record.atMs, version: [Number(row.block), row.tx_index] };
  });
}

/** Reads stored nodes of the chain's tree. */
export function nodeReader(tx: Tx): ReadNodes {
  return async (ids) => {
    const rows = await tx.query<{ level: number; position: bigint; hash: string }>(
      `SELECT level, position, hash FROM ledger_node
       WHERE (level, position) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))`,
      [ids.map((id) => id.level), ids.map((id) => id.position)],
    );
    const known = new Map(rows.map((row) => [`${row.level}/${row.position}`, row.hash]));
    return ({ level, position }) => {
      const hash = known.get(`${level}/${position}`);
      if (hash === undefined) throw new Error(`the ledger lacks node ${level}/${position}`);
      return hash;
    };
  };
}

export interface StoredTx {
  readonly key: string;
  readonly code: number;
  readonly block: bigint;
  readonly transaction: string;
}

/** The transactions under these idempotency keys, conflicts included. */
export function transactionsByKey(tx: Tx, keys: readonly string[]): Promise<StoredTx[]> {
  const text = `SELECT idempotency_key AS key, code, block, transaction FROM ledger_tx
    WHERE idempotency_key = ANY ($1::text[]) ORDER BY block, tx_index`;
  return tx.query<StoredTx>({ name: 'ledger_by_key', text }, [textArray(keys)]);
}

/** Those of `txIds` that the ledger has. */
export async function knownTxIds(tx: Tx, txIds: readonly string[]): Promise<ReadonlySet<string>> {
  const text = 'SELECT tx_id FROM ledger_tx WHERE tx_id = ANY ($1::text[])';
  const rows = await tx.query<{ tx_id: string }>({ name: 'ledger_by_id', text }, [textArray(txIds)]);
  return new Set(rows.map((row) => row.tx_id));
}

interface FactColumns {
  position: bigint;
  block: bigint;
  tx_index: number;
  tx_id: string;
  contract: Fact['contract'];
  name: string;
  payload: string;
  at_ms: bigint;
}

/** The columns of a fact. */
const factColumns = 'position, block, tx_index, tx_id, contract, name, payload, at_ms';

export async function selectFacts(tx: Tx, where: string, values: readonly unknown[]): Promise<Fact[]> {
  const rows = await tx.query<FactColumns>(`SELECT ${factColumns} FROM ledger_fact WHERE ${where}`, values);
  return rows.map((row) => ({
    position: row.position,
    block: row.block,
    txIndex: row.tx_index,
    txId: row.tx_id as Sha256Hex,
    contract: row.contract,
    name: row.name,
    payload: row.payload,
    atMs: Number(row.at_ms),
  }));
}
