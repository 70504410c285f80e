/** Blocks into the ledger's tables: what is new is written, what is there already must be the same. */

import type { common } from '@hyperledger/fabric-protos';
import { Fault, type BlockHeader } from '@assay/core';
import type { Database, Tx } from '@assay/store';
import type { LedgerKey } from '../keys.ts';
import { insertBlock, lockHead } from '../ledger-rows.ts';
import { headAfter } from '../make-block.ts';
import { authoritiesOf } from './channel-authorities.ts';
import type { DecodedBlock } from './decode-block.ts';
import { mirrorBlock } from './mirror-block.ts';

export interface MirrorDeps {
  readonly db: Database;
  readonly key: LedgerKey;
  readonly channel: string;
}

/** A block as a peer gave it. */
export interface Incoming {
  readonly raw: common.Block;
  readonly decoded: DecodedBlock;
}

/** What the database said, and no peer is to blame for. */
export class DatabaseProblem extends Error {}

async function fromDatabase<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Fault && error.code === 'ledger.tampered') throw error;
    throw new DatabaseProblem('the database did not take it', { cause: error });
  }
}

/** The number of the block that the database lacks next. */
export async function nextBlock(db: Database): Promise<bigint> {
  const [row] = await fromDatabase(db.query<{ next_block: bigint }>('SELECT next_block FROM ledger_head'));
  return row?.next_block ?? 0n;
}

/** Writes what of `blocks` is not there yet, in one transaction, and compares the others; says where the new ones begin. */
export function project(deps: MirrorDeps, blocks: readonly Incoming[]): Promise<bigint | undefined> {
  return fromDatabase(deps.db.transaction((tx) => projectIn(tx, deps, blocks)));
}

async function projectIn(tx: Tx, deps: MirrorDeps, blocks: readonly Incoming[]): Promise<bigint | undefined> {
  let head = await lockHead(tx);
  const { nextBlock: begin } = head;
  for (const { raw, decoded } of blocks) {
    const number = BigInt(decoded.number);
    if (number < head.nextBlock) {
      await requireSame(tx, decoded);
      continue;
    }
    if (number > head.nextBlock) throw tampered(`block ${head.nextBlock} is missing`);
    if (number > 0n) await requireSuccessor(tx, decoded);
    const rows = mirrorBlock(head, decoded, deps.key, number === 0n ? genesisOf(deps, raw) : undefined);
    await insertBlock(tx, rows, head.nextFact);
    head = headAfter(head, rows);
  }
  return head.nextBlock > begin ? begin : undefined;
}

function genesisOf({ channel, key }: MirrorDeps, raw: common.Block): NonNullable<BlockHeader['genesis']> {
  return { channel, publicKey: key.publicKey, authorities: authoritiesOf(raw) };
}

interface StoredOrder {
  readonly ordered: NonNullable<BlockHeader['ordered']>;
  /** The transactions' validation codes, which no hash and no signature covers. */
  readonly codes: readonly number[];
}

async function orderedIn(tx: Tx, number: number): Promise<StoredOrder> {
  const text = `SELECT header, ARRAY(SELECT code FROM ledger_tx WHERE block = number ORDER BY tx_index) AS codes
    FROM ledger_block WHERE number = $1`;
  const [row] = await tx.query<{ header: string; codes: number[] }>({ name: 'ledger_ordered', text }, [number]);
  const { ordered } = JSON.parse(row?.header ?? '{}') as Partial<BlockHeader>;
  return { ordered: ordered ?? { hash: '', previous: '', data: '' }, codes: row?.codes ?? [] };
}

/** Faults `ledger.tampered` where the database holds another block of this number. */
export function requireStored(db: Database, block: DecodedBlock): Promise<void> {
  return fromDatabase(requireSame(db, block));
}

async function requireSame(tx: Tx, block: DecodedBlock): Promise<void> {
  const { ordered, codes } = await orderedIn(tx, block.number);
  if (ordered.hash !== block.hash) throw tampered(`the peer’s block ${block.number} is not the one in this database`);
  if (String(codes) !== String(block.transactions.map(({ code }) => code))) {
    throw tampered(`the peer says of other transactions of block ${block.number} that they count`);
  }
}

async function requireSuccessor(tx: Tx, block: DecodedBlock): Promise<void> {
  if ((await orderedIn(tx, block.number - 1)).ordered.hash !== block.previousHash) {
    throw tampered(`block ${block.number} does not follow on the one before it`);
  }
}

/** The fault of a peer that contradicts what is known. */
export function tampered(what: string): Fault {
  return new Fault('ledger.tampered', what, { retry: false });
}
