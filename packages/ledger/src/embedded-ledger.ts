/** The embedded engine: Fabric's contracts and rules, PostgreSQL's transactions. */

import { contracts, platformMsp } from '@assay/contracts';
import {
  Fault,
  refuse,
  type InclusionProof,
  type Ledger,
  type LedgerIdentity,
  type Sha256Hex,
  type SignedHead,
  type Submission,
  type SubmissionOutcome,
  type ConsistencyProof,
} from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { asHash, txIdOf, noBlock } from './block.ts';
import { consistencyPath, inclusionPath } from './chain-tree.ts';
import { commitRequests, lockChain, type Engine, type Request } from './commit.ts';
import { endorser } from './endorse.ts';
import { timestampOf, type ContractClass } from './fabric-runtime.ts';
import type { LedgerKey } from './keys.ts';
import { nodeReader, readHead, selectFacts, stateReader } from './ledger-rows.ts';
import { openCombiner } from './submit-combiner.ts';
import { isConsistent, readSignedHead, txPathOf } from './ledger-proofs.ts';

export interface EmbeddedLedgerOptions {
  readonly db: Database;
  /** The same on every server of a deployment; the first one that starts writes its public half into block 0. */
  readonly key: LedgerKey;
  readonly channel?: string;
  readonly mspIds?: readonly string[];
  readonly contracts?: readonly ContractClass[];
}

export interface EmbeddedLedger extends Ledger {
  /**
   * Commits in the caller's transaction, so that facts and rows appear together or not at all. It locks the head of the
   * chain until that transaction ends: call it last.
   */
  submitIn(tx: Tx, submissions: readonly Submission[], as: LedgerIdentity): Promise<readonly SubmissionOutcome[]>;
  /** Whether the chain still holds a head that somebody kept: its signature, its block and everything before it. */
  isConsistent(kept: SignedHead): Promise<boolean>;
}

/** The parts of an engine that need no database. */
export function embeddedEngine(options: Omit<EmbeddedLedgerOptions, 'db'>): Engine {
  return {
    key: options.key,
    endorse: endorser(options.contracts ?? contracts),
    channel: options.channel ?? 'public-marketplace',
    mspIds: options.mspIds ?? [platformMsp],
  };
}

/**
 * Opens the ledger in `db`, which it starts with block 0 when it is empty; refuses `config.invalid` when the chain was
 * made with another key.
 */
export async function openEmbeddedLedger(options: EmbeddedLedgerOptions): Promise<EmbeddedLedger> {
  const { db, key } = options;
  const engine = embeddedEngine(options);
  await reached(db.transaction((tx) => lockChain(engine, tx)));
  const first = await reached(readSignedHead(db, 0n));
  if (first.publicKey !== key.publicKey) throw refuse('config.invalid', 'the ledger was made with another key');
  const combiner = openCombiner((requests: readonly Request[]) =>
    db.transaction((tx) => commitRequests(engine, tx, requests)),
  );
  return {
    engine: 'embedded',
    submit: (submissions, as) => reached(combiner(submissions.map((submission) => ({ submission, as })))),
    submitIn: (tx, submissions, as) =>
      commitRequests(
        engine,
        tx,
        submissions.map((submission) => ({ submission, as })),
      ),
    evaluate: (contract, fn, args, as) => snapshot(db, (tx) => evaluate(engine, tx, { contract, fn, args }, as)),
    facts: (position, limit) =>
      reached(selectFacts(db, 'position >= $1 ORDER BY position LIMIT $2', [position, limit])),
    prove: (txId) => snapshot(db, async (tx) => proveIn(tx, txId, await newestHead(tx))),
    proveConsistency: (earlier) => snapshot(db, async (tx) => consistencyIn(tx, earlier, await newestHead(tx))),
    head: () => snapshot(db, newestHead),
    isConsistent: (kept) => snapshot(db, (tx) => isConsistent(tx, kept)),
  };
}

async function newestHead(tx: Tx): Promise<SignedHead> {
  return readSignedHead(tx, (await readHead(tx)).nextBlock - 1n);
}

/** Several reads of one state of the database. */
function snapshot<T>(db: Database, run: (tx: Tx) => Promise<T>): Promise<T> {
  return reached(
    db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return run(tx);
    }),
  );
}

/** To a caller of the ledger, a database that does not answer is a ledger that does not. */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'store.unavailable') throw error;
    throw new Fault('ledger.unavailable', 'the database of the ledger does not answer', { cause: error, retry: true });
  }
}

type Call = Pick<Submission, 'contract' | 'fn' | 'args'>;

/** Runs a function and drops what it would write, as a peer does with a query. */
async function evaluate(engine: Engine, tx: Tx, call: Call, as: LedgerIdentity): Promise<string> {
  const { mspId, certificate, fingerprint } = engine.key.member(as);
  const { atMs, nowMs } = await readHead(tx);
  const reader = stateReader(tx);
  const proposal = {
    ...call,
    txId: txIdOf(noBlock, { mspId, fingerprint }),
    channel: engine.channel,
    mspId,
    certificate,
    timestamp: timestampOf(Math.max(atMs, nowMs)),
  };
  const get = async (key: string) => (await reader.getMany([key])).get(key);
  const outcome = await engine.endorse(proposal, get, reader);
  if (outcome.kind === 'refused') throw refuse(outcome.code, outcome.message);
  return outcome.result;
}

async function proveIn(tx: Tx, txId: Sha256Hex, head: SignedHead): Promise<InclusionProof> {
  const { block, txIndex, transactions, header } = await txPathOf(tx, txId);
  const chainPath = await inclusionPath(block, head.block + 1n, nodeReader(tx));
  return { ...transactions, txIndex, header, chainPath: chainPath.map(asHash), head };
}

async function consistencyIn(tx: Tx, earlier: bigint, head: SignedHead): Promise<ConsistencyProof> {
  if (earlier < 0n || earlier > head.block) throw refuse('ledger.not_found', 'the chain has no such block');
  const path = await consistencyPath(earlier + 1n, head.block + 1n, nodeReader(tx));
  return { path: path.map(asHash), head };
}
