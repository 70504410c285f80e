/** `assay ledger verify`: replays the chain from block 0 and holds every other row of the ledger against it. */

import { createHash } from 'node:crypto';
import { contractVersions, contractsOf } from '@assay/contracts';
import { limits, type SignedHead } from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { endorser, type Endorse } from './endorse.ts';
import { isConsistent } from './ledger-proofs.ts';
import {
  replayBlock,
  startReplay,
  type Evidence,
  type LedgerProblem,
  type Replay,
  type StoredBlock,
} from './replay.ts';
import type { StoredTransaction } from './replay.ts';
import type { ContractClass } from './fabric-runtime.ts';
import { compareLeaves } from './verify-leaves.ts';

export interface VerifyOptions {
  /** The key that the chain must be signed with; without it the key that block 0 names is believed. */
  readonly publicKey?: string;
  /** Heads that somebody kept: the chain must still hold them. */
  readonly keptHeads?: readonly SignedHead[];
  /** Runs every contract call again and compares its outcome. */
  readonly execute?: boolean;
  readonly contracts?: readonly ContractClass[];
}

export interface LedgerReport {
  readonly ok: boolean;
  readonly blocks: number;
  readonly transactions: number;
  readonly facts: number;
  /** At most `limits.ledgerProblems`. */
  readonly problems: readonly LedgerProblem[];
}

/** Finds every byte of the ledger's tables that does not follow from the signed chain. Reads one snapshot. */
export function verifyLedger(db: Database, options: VerifyOptions = {}): Promise<LedgerReport> {
  return db.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return verifyLedgerIn(tx, options);
  });
}

/** The same inside a transaction of the caller. */
export async function verifyLedgerIn(tx: Tx, options: VerifyOptions = {}): Promise<LedgerReport> {
  const replay = startReplay();
  const { problems } = replay;
  const certificates = await checkCreators(tx, problems);
  await replayAll(tx, replay, {
    certificates: new Map([...certificates].map(([fingerprint, row]) => [fingerprint, row.certificate])),
    endorse: options.execute === true ? endorsersOf(options.contracts) : [],
  });
  checkUsedCreators(replay, certificates);
  if (options.publicKey !== undefined && replay.publicKey !== options.publicKey) {
    problems.push({ table: 'ledger_block', block: 0, what: 'the chain is signed with another key' });
  }
  await compareTables(tx, replay);
  for (const kept of options.keptHeads ?? []) {
    if (problems.length === 0 && !(await isConsistent(tx, kept))) {
      problems.push({ table: 'ledger_block', block: Number(kept.block), what: 'the chain does not hold a kept head' });
    }
  }
  return reportOf(replay);
}

/** Those that may have run a call: every version, the newest first. */
function endorsersOf(classes: readonly ContractClass[] | undefined): Endorse[] {
  if (classes) return [endorser(classes)];
  return contractVersions.toReversed().map((version) => endorser(contractsOf(version)));
}

/** What a replay found. */
export function reportOf({ problems, next, transactions, facts }: Replay): LedgerReport {
  return {
    ok: problems.length === 0,
    blocks: next,
    transactions,
    facts: facts.length,
    problems: problems.slice(0, limits.ledgerProblems),
  };
}

/** Holds the tables that follow from blocks against what a replay of the blocks gave. */
export async function compareTables(tx: Tx, replay: Replay): Promise<void> {
  await compareHead(tx, replay);
  await compareState(tx, replay);
  await compareHistory(tx, replay);
  await compareFacts(tx, replay);
  await compareLeaves(tx, replay);
  await compareNodes(tx, replay);
}

async function replayAll(tx: Tx, replay: Replay, evidence: Evidence): Promise<void> {
  for (let after = -1n; replay.problems.length < limits.ledgerProblems;) {
    const blocks = await tx.query<StoredBlock>(
      'SELECT number, header, hash, chain_root, signature FROM ledger_block WHERE number > $1 ORDER BY number LIMIT $2',
      [after, limits.ledgerPageItems],
    );
    const last = blocks.at(-1);
    if (last === undefined) break;
    const rows = await tx.query<StoredTransaction & { block: bigint }>(
      `SELECT block, tx_index, tx_id, idempotency_key, code, transaction FROM ledger_tx
       WHERE block > $1 AND block <= $2 ORDER BY block, tx_index`,
      [after, last.number],
    );
    const byBlock = Map.groupBy(rows, (row) => row.block);
    for (const block of blocks) await replayBlock(replay, block, byBlock.get(block.number) ?? [], evidence);
    after = last.number;
  }
  const [stray] = await tx.query<{ block: bigint }>(
    'SELECT block FROM ledger_tx t WHERE NOT EXISTS (SELECT FROM ledger_block b WHERE b.number = t.block) LIMIT 1',
  );
  if (stray)
    replay.problems.push({ table: 'ledger_tx', block: Number(stray.block), what: 'a transaction without a block' });
  if (replay.next === 0) replay.problems.push({ table: 'ledger_block', block: null, what: 'there is no block' });
}

type CreatorRow = { readonly fingerprint: string; readonly msp_id: string; readonly certificate: string };

/** The certificates by fingerprint; each must hash to its own. */
export async function checkCreators(tx: Tx, problems: LedgerProblem[]): Promise<ReadonlyMap<string, CreatorRow>> {
  const rows = await tx.query<CreatorRow>('SELECT fingerprint, msp_id, certificate FROM ledger_creator');
  for (const { fingerprint, certificate } of rows) {
    if (createHash('sha256').update(certificate).digest('hex') === fingerprint) continue;
    problems.push({ table: 'ledger_creator', block: null, what: `certificate ${fingerprint} has another hash` });
  }
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

/** Exactly the certificates that transactions name are stored. */
export function checkUsedCreators(replay: Replay, rows: ReadonlyMap<string, CreatorRow>): void {
  const stored = new Set([...rows.values()].map((row) => `${row.fingerprint}/${row.msp_id}`));
  for (const name of difference(replay.creators, stored)) {
    const what = stored.has(name) ? 'no transaction names' : 'a transaction names';
    replay.problems.push({ table: 'ledger_creator', block: null, what: `${what} ${name}` });
  }
}

async function compareHead(tx: Tx, replay: Replay): Promise<void> {
  const text = 'SELECT next_block, next_fact, at_ms, hash, peaks FROM ledger_head';
  const rows = await tx.query<{ next_block: bigint }>(text);
  const { next, facts, atMs, previous, peaks } = replay;
  const expected = [String(next), String(facts.length + 1), String(atMs), previous, peaks.join(',')];
  compareRows(replay, 'ledger_head', rows.map(valuesOf), [expected], () => null);
  if (rows.some((row) => row.next_block > BigInt(next))) {
    replay.problems.push({ table: 'ledger_block', block: next, what: 'the newest blocks are missing' });
  }
}

async function compareState(tx: Tx, replay: Replay): Promise<void> {
  const rows = await tx.query<{ block: bigint }>(
    `SELECT encode(key, 'hex') AS key, encode(value, 'hex') AS value, block, tx_index FROM ledger_state ORDER BY ledger_state.key`,
  );
  const expected = replay.state
    .entries()
    .map(({ key, value, version }) => [hexOf(key), hexOf(value), String(version[0]), String(version[1])]);
  compareRows(replay, 'ledger_state', rows.map(valuesOf), expected, (row) => Number(row[2]));
}

async function compareHistory(tx: Tx, replay: Replay): Promise<void> {
  const rows = await tx.query<{ key: Buffer; block: bigint; tx_index: number }>(
    'SELECT key, block, tx_index FROM ledger_history',
  );
  const stored = new Set(rows.map((row) => `${row.key.toString('hex')}/${row.block}/${row.tx_index}`));
  for (const line of difference(replay.history, stored)) {
    const what = stored.has(line) ? 'a change that no transaction made' : 'a change is missing';
    replay.problems.push({ table: 'ledger_history', block: Number(line.split('/').at(-2)), what });
  }
}

async function compareFacts(tx: Tx, replay: Replay): Promise<void> {
  const rows = await tx.query(
    `SELECT position, block, tx_index, tx_id, contract, name, payload, job, at_ms FROM ledger_fact ORDER BY position`,
  );
  const expected = replay.facts.map((fact, index) => [
    String(index + 1),
    String(fact.block),
    String(fact.txIndex),
    fact.txId,
    fact.contract,
    fact.name,
    fact.payload,
    fact.job,
    String(fact.atMs),
  ]);
  compareRows(replay, 'ledger_fact', rows.map(valuesOf), expected, (row) => Number(row[1]));
}

async function compareNodes(tx: Tx, replay: Replay): Promise<void> {
  const rows = await tx.query('SELECT level, position, hash FROM ledger_node ORDER BY level, position');
  const expected = replay.nodes
    .toSorted((a, b) => a.level - b.level || Number(a.position - b.position))
    .map(({ level, position, hash }) => [String(level), String(position), hash]);
  compareRows(replay, 'ledger_node', rows.map(valuesOf), expected, () => null);
}

type Line = readonly (string | null)[];

function valuesOf(row: unknown): Line {
  const columns = Object.values(row as Record<string, string | number | bigint | null>);
  return columns.map((value) => (value === null ? null : String(value)));
}

/** What stands in only one of two sets. */
function difference(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...[...a].filter((one) => !b.has(one)), ...[...b].filter((one) => !a.has(one))];
}

/** Names the first row that differs: what follows it may only be shifted. */
function compareRows(
  replay: Replay,
  table: string,
  stored: readonly Line[],
  expected: readonly Line[],
  blockOf: (row: Line) => number | null,
): void {
  const same = (at: number): boolean => JSON.stringify(stored[at]) === JSON.stringify(expected[at]);
  const length = Math.max(stored.length, expected.length);
  const at = Array.from({ length }, (_, index) => index).find((index) => !same(index));
  if (at === undefined) return;
  const row = expected[at] ?? stored[at] ?? [];
  const what = `row ${at + 1} does not follow from the chain (${stored.length} rows, ${expected.length} expected)`;
  replay.problems.push({ table, block: blockOf(row), what });
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}
