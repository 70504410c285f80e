/**
 * The projection: follows a channel's blocks from a peer into the ledger's tables. A block, its transactions, state,
 * facts and the place where the next one goes on are one PostgreSQL transaction, so every fact is there once, however
 * often the process dies. Several servers may project into one database; the head's lock lets each block in once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { common } from '@hyperledger/fabric-protos';
import { Fault, limits, type BlockHeader, type Sha256Hex } from '@assay/core';
import type { Database, Tx } from '@assay/store';
import type { LedgerKey } from '../keys.ts';
import { insertBlock, lockHead } from '../ledger-rows.ts';
import { headAfter } from '../make-block.ts';
import { authoritiesOf } from './channel-authorities.ts';
import { decodeBlock, type DecodedBlock } from './decode-block.ts';
import { mirrorBlock } from './mirror-block.ts';
import type { Peers } from './peers.ts';
import type { FabricMember } from './wallet.ts';

/** What became of a transaction that was ordered. */
export interface Landing {
  readonly txId: Sha256Hex;
  readonly block: bigint;
  readonly code: number;
  readonly result: string;
}

export interface Projection {
  /** Resolves when the transaction is in a block and its effects are in the database; `forget` ends the wait. */
  landing(txId: string): { readonly landed: Promise<Landing>; forget(): void };
  /** Resolves when a peer's blocks come, or when they turned out to be another chain's. */
  readonly connected: Promise<void>;
  /** The newest block that came, -1 before the first. */
  readonly newest: bigint;
  /** Why nothing may be submitted: what the peer tells contradicts what is in the database. */
  readonly contradiction: Fault | undefined;
  /** When the newest block came from the peer, by the process's own clock. */
  readonly heardAtMs: number;
  close(): Promise<void>;
}

export interface ProjectionDeps {
  readonly db: Database;
  readonly key: LedgerKey;
  readonly channel: string;
  readonly chaincode: string;
  readonly peers: Peers;
  /** Who reads the blocks. */
  readonly reader: FabricMember;
  /** Told of what is wrong; the projection goes on trying. */
  readonly onProblem: (error: unknown) => void;
}

interface Incoming {
  readonly raw: common.Block;
  readonly decoded: DecodedBlock;
}

export function startProjection(deps: ProjectionDeps): Projection {
  const landings = new Map<string, (landing: Landing) => void>();
  const { promise: connected, resolve: isConnected } = Promise.withResolvers<void>();
  const state: FollowState = {
    closed: false,
    newest: -1n,
    heardAtMs: 0,
    contradiction: undefined,
    isConnected,
    stop: () => undefined,
  };
  const written = (blocks: readonly Incoming[]): void => {
    for (const { decoded } of blocks) {
      if (BigInt(decoded.number) > state.newest) state.newest = BigInt(decoded.number);
      for (const { record, code } of decoded.transactions) {
        // A second envelope with the id of the first says nothing about the first.
        if (code === 9) continue;
        const { txId, result } = record;
        landings.get(txId)?.({ txId: txId as Sha256Hex, block: BigInt(decoded.number), code, result });
      }
    }
    state.contradiction = undefined;
    isConnected();
  };
  const running = follow(deps, state, written);
  return {
    landing(txId) {
      const { promise, resolve } = Promise.withResolvers<Landing>();
      landings.set(txId, resolve);
      return { landed: promise, forget: () => landings.delete(txId) };
    },
    connected,
    get contradiction() {
      return state.contradiction;
    },
    get newest() {
      return state.newest;
    },
    get heardAtMs() {
      return state.heardAtMs;
    },
    async close() {
      state.closed = true;
      state.stop();
      await running;
    },
  };
}

interface FollowState {
  closed: boolean;
  newest: bigint;
  heardAtMs: number;
  contradiction: Fault | undefined;
  readonly isConnected: () => void;
  stop: () => void;
}

async function follow(
  deps: ProjectionDeps,
  state: FollowState,
  written: (blocks: readonly Incoming[]) => void,
): Promise<void> {
  for (let failures = 0; !state.closed;) {
    const { turn } = deps.peers;
    try {
      await followPeer(deps, state, (blocks) => {
        failures = 0;
        written(blocks);
      });
    } catch (error) {
      if (state.closed) return;
      failures += 1;
      if (error instanceof Fault && error.code === 'ledger.tampered') {
        state.contradiction = error;
        state.isConnected();
      }
      deps.onProblem(error);
      deps.peers.failOver(turn);
      await sleep(Math.min(limits.fabricRetryMaxMs, limits.fabricRetryMs * 2 ** Math.min(failures, 10)));
    }
  }
}

/** Reads blocks from one peer until its stream ends; what came while the database was busy is written together. */
async function followPeer(
  deps: ProjectionDeps,
  state: FollowState,
  written: (blocks: readonly Incoming[]) => void,
): Promise<void> {
  const from = await nextBlock(deps.db);
  if (from > 0n) await requireSameChain(deps);
  // The last block that we have comes again: it must be the same, or the peer tells another history.
  const startBlock = from > 0n ? from - 1n : 0n;
  const events = await deps.peers.network(deps.reader).getBlockEvents({ startBlock });
  state.stop = () => events.close();
  // Only once it is read: a stream that ends before anybody reads it ends the process with its error.
  if (state.closed) queueMicrotask(state.stop);
  let buffer: Incoming[] = [];
  let writing: Promise<void> | undefined;
  let failure: unknown;
  const drain = async (): Promise<void> => {
    while (buffer.length > 0) {
      const batch = buffer.slice(0, limits.fabricProjectionBlocks);
      await project(deps, batch);
      buffer = buffer.slice(batch.length);
      written(batch);
    }
  };
  try {
    for await (const raw of events) {
      state.heardAtMs = performance.now();
      const decoded = decodeBlock(raw, deps.chaincode);
      if (!decoded) throw tampered('a block’s data do not hash to what its header says');
      buffer.push({ raw, decoded });
      writing ??= drain()
        .catch((error: unknown) => {
          failure = error;
          events.close();
        })
        .finally(() => {
          writing = undefined;
        });
      if (buffer.length >= limits.fabricProjectionBlocks) await writing;
    }
  } catch (error) {
    // What the database said is the cause; the stream only ended with it.
    throw failure ?? error;
  } finally {
    events.close();
    await writing;
  }
  if (failure !== undefined) throw failure;
  if (!state.closed) throw new Fault('ledger.unavailable', 'the peer ended the stream of blocks', { retry: true });
}

/** A network that was made anew has fewer blocks than we know: waiting for the next one would not show that. */
async function requireSameChain(deps: ProjectionDeps): Promise<void> {
  const events = await deps.peers.network(deps.reader).getBlockEvents({ startBlock: 0n });
  try {
    for await (const raw of events) {
      const decoded = decodeBlock(raw, deps.chaincode);
      if (!decoded) throw tampered('block 0’s data do not hash to what its header says');
      return await requireSame(deps.db, decoded);
    }
  } finally {
    events.close();
  }
}

async function nextBlock(db: Database): Promise<bigint> {
  const [row] = await db.query<{ next_block: bigint }>('SELECT next_block FROM ledger_head');
  return row?.next_block ?? 0n;
}

/** Writes what of `blocks` is not there yet, in one transaction. */
function project(deps: ProjectionDeps, blocks: readonly Incoming[]): Promise<void> {
  return deps.db.transaction(async (tx) => {
    let head = await lockHead(tx);
    for (const { raw, decoded } of blocks) {
      const number = BigInt(decoded.number);
      if (number < head.nextBlock) {
        if (number === head.nextBlock - 1n) await requireSame(tx, decoded);
        continue;
      }
      if (number > head.nextBlock) throw tampered(`block ${head.nextBlock} is missing`);
      if (number > 0n) await requireSuccessor(tx, decoded);
      const rows = mirrorBlock(head, decoded, deps.key, number === 0n ? genesisOf(deps, raw) : undefined);
      await insertBlock(tx, rows, head.nextFact);
      head = headAfter(head, rows);
    }
  });
}

function genesisOf({ channel, key }: ProjectionDeps, raw: common.Block): NonNullable<BlockHeader['genesis']> {
  return { channel, publicKey: key.publicKey, authorities: authoritiesOf(raw) };
}

async function orderedIn(tx: Tx, number: number): Promise<NonNullable<BlockHeader['ordered']>> {
  const text = 'SELECT header FROM ledger_block WHERE number = $1';
  const [row] = await tx.query<{ header: string }>({ name: 'ledger_header', text }, [number]);
  const { ordered } = JSON.parse(row?.header ?? '{}') as Partial<BlockHeader>;
  return ordered ?? { hash: '', previous: '', data: '' };
}

async function requireSame(tx: Tx, block: DecodedBlock): Promise<void> {
  if ((await orderedIn(tx, block.number)).hash !== block.hash) {
    throw tampered(`the peer’s block ${block.number} is not the one in this database`);
  }
}

async function requireSuccessor(tx: Tx, block: DecodedBlock): Promise<void> {
  if ((await orderedIn(tx, block.number - 1)).hash !== block.previousHash) {
    throw tampered(`block ${block.number} does not follow on the one before it`);
  }
}

function tampered(what: string): Fault {
  return new Fault('ledger.tampered', what, { retry: false });
}
