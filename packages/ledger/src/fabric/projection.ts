/**
 * The projection: follows a channel's blocks from a peer into the ledger's tables. A block, its transactions, state,
 * facts and the place where the next one goes on are one PostgreSQL transaction, so every fact is there once, however
 * often the process dies. Several servers may project into one database; the head's lock lets each block in once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { common } from '@hyperledger/fabric-protos';
import { Fault, limits, type Sha256Hex } from '@assay/core';
import { decodeBlock } from './decode-block.ts';
import { ordererSignatures } from './orderer-signatures.ts';
import type { Peers } from './peers.ts';
import {
  DatabaseProblem,
  nextBlock,
  project,
  requireStored,
  tampered,
  type Incoming,
  type MirrorDeps,
} from './project-blocks.ts';
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

export interface ProjectionDeps extends MirrorDeps {
  readonly chaincode: string;
  readonly peers: Peers;
  /** Who reads the blocks. */
  readonly reader: FabricMember;
  /** Told of what is wrong; the projection goes on trying. */
  readonly onProblem: (error: unknown) => void;
}

export function startProjection(deps: ProjectionDeps): Projection {
  const landings = new Map<string, (landing: Landing) => void>();
  const { promise: connected, resolve: isConnected } = Promise.withResolvers<void>();
  const state: FollowState = {
    closed: false,
    isMoving: false,
    isAbroad: false,
    foreignFrom: undefined,
    isRefuted: false,
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
    isConnected();
  };
  const running = follow(deps, state, written);
  void returnHome(deps, state);
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
  /** Ends the stream that is read. */
  stop: () => void;
  /** Whether the stream was ended to read another peer. */
  isMoving: boolean;
  /** Whether another organisation's peer is read. */
  isAbroad: boolean;
  /** The first block whose validation codes only another organisation's peer vouched for. */
  foreignFrom: bigint | undefined;
  /** Whether an own peer contradicted the database: until one agrees again, no other's word counts. */
  isRefuted: boolean;
}

type Written = (blocks: readonly Incoming[]) => void;

async function follow(deps: ProjectionDeps, state: FollowState, written: Written): Promise<void> {
  for (let failures = 0; !state.closed;) {
    const { turn } = deps.peers;
    try {
      await followPeer(deps, state, (blocks) => {
        failures = 0;
        written(blocks);
      });
    } catch (error) {
      if (state.closed) return;
      if (state.isMoving) continue;
      failures += 1;
      noteContradiction(state, error);
      // Another peer would not mend the database.
      if (error instanceof DatabaseProblem) deps.onProblem(error.cause);
      else {
        deps.onProblem(error);
        deps.peers.failOver(turn);
      }
      await sleep(Math.min(limits.fabricRetryMaxMs, limits.fabricRetryMs * 2 ** Math.min(failures, 10)));
    }
  }
}

function noteContradiction(state: FollowState, error: unknown): void {
  if (!(error instanceof Fault) || error.code !== 'ledger.tampered') return;
  state.contradiction = error;
  state.isRefuted ||= !state.isAbroad;
  state.isConnected();
}

/** While another organisation's peer is read, looks for an own one. */
async function returnHome(deps: ProjectionDeps, state: FollowState): Promise<void> {
  while (!state.closed) {
    await sleep(limits.fabricHomeMs, undefined, { ref: false });
    if (state.closed || (deps.peers.isOwn && !state.isAbroad)) continue;
    const isHome = await deps.peers.goHome(deps.reader, state.newest + 1n).catch(() => false);
    if (!isHome || !state.isAbroad) continue;
    state.isMoving = true;
    state.stop();
  }
}

/** Reads blocks from one peer until its stream ends; what came while the database was busy is written together. */
async function followPeer(deps: ProjectionDeps, state: FollowState, written: Written): Promise<void> {
  state.isMoving = false;
  state.isAbroad = !deps.peers.isOwn;
  const { isAbroad } = state;
  if (isAbroad && state.isRefuted && state.contradiction) throw state.contradiction;
  const from = await nextBlock(deps.db);
  if (from === 0n && isAbroad) {
    throw new Fault('ledger.unavailable', 'block 0 is taken from a peer of the own organisation alone', {
      retry: true,
    });
  }
  let isSigned = from > 0n ? ordererSignatures(await sameFirstBlock(deps, state)) : undefined;
  // The last block that we have comes again, and at home whatever came from elsewhere: they must be the same, or the
  // peer tells another history.
  const last = from > 0n ? from - 1n : 0n;
  const startBlock = isAbroad || state.foreignFrom === undefined || state.foreignFrom > last ? last : state.foreignFrom;
  const events = await openBlocks(deps, state, startBlock);
  let buffer: Incoming[] = [];
  let writing: Promise<void> | undefined;
  let failure: unknown;
  const drain = async (): Promise<void> => {
    while (buffer.length > 0) {
      const batch = buffer.slice(0, limits.fabricProjectionBlocks);
      const added = await project(deps, batch);
      buffer = buffer.slice(batch.length);
      agreed(state, batch, { isAbroad, added, last });
      written(batch);
    }
  };
  try {
    for await (const raw of events) {
      state.heardAtMs = performance.now();
      const decoded = decodeBlock(raw, deps.chaincode);
      if (!decoded) throw tampered('a block’s data do not hash to what its header says');
      if (decoded.number === 0) isSigned ??= ordererSignatures(raw);
      else if (isSigned?.(raw) !== true) throw tampered(`no orderer of the channel signed block ${decoded.number}`);
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

interface Agreement {
  readonly isAbroad: boolean;
  /** The first block that was not there yet. */
  readonly added: bigint | undefined;
  /** The newest block that was there when the stream began. */
  readonly last: bigint;
}

/** Remembers whose word counts for what, after `blocks` agreed with the database or were added to it. */
function agreed(state: FollowState, blocks: readonly Incoming[], { isAbroad, added, last }: Agreement): void {
  const isThrough = BigInt(blocks.at(-1)?.decoded.number ?? -1) >= last;
  if (isAbroad) state.foreignFrom ??= added;
  else if (isThrough) {
    state.foreignFrom = undefined;
    state.isRefuted = false;
  }
  if (isThrough && !state.isRefuted) state.contradiction = undefined;
}

type BlockStream = Awaited<ReturnType<ReturnType<Peers['network']>['getBlockEvents']>>;

/** The peer's blocks from `startBlock` on; the caller reads them at once. */
async function openBlocks(deps: ProjectionDeps, state: FollowState, startBlock: bigint): Promise<BlockStream> {
  const events = await deps.peers.network(deps.reader).getBlockEvents({ startBlock });
  state.stop = () => events.close();
  // Only once it is read: a stream that ends before anybody reads it ends the process with its error.
  if (state.closed) queueMicrotask(state.stop);
  return events;
}

/**
 * The first block, which must be ours. A network that was made anew has fewer blocks than we know: waiting for the next one
 * would not show that.
 */
async function sameFirstBlock(deps: ProjectionDeps, state: FollowState): Promise<common.Block> {
  const events = await openBlocks(deps, state, 0n);
  try {
    for await (const raw of events) {
      const decoded = decodeBlock(raw, deps.chaincode);
      if (!decoded) throw tampered('block 0’s data do not hash to what its header says');
      await requireStored(deps.db, decoded);
      return raw;
    }
  } finally {
    events.close();
  }
  throw new Fault('ledger.unavailable', 'the peer ended the stream of blocks', { retry: true });
}
