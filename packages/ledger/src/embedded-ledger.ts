/** The embedded engine: Fabric's contracts and rules, PostgreSQL's transactions. */

import { contracts, platformMsp, workerMsp } from '@assay/contracts';
import {
  limits,
  refuse,
  type Ledger,
  type LedgerIdentity,
  type SignedHead,
  type Submission,
  type SubmissionOutcome,
} from '@assay/core';
import type { Database, Tx } from '@assay/store';
import { noBlock, txIdOf } from './block.ts';
import { commitRequests, lockChain, type Engine } from './commit.ts';
import { creatorsUnder } from './creators.ts';
import { endorser } from './endorse.ts';
import { timestampOf, type ContractClass } from './fabric-runtime.ts';
import type { LedgerKey } from './keys.ts';
import { readHead, stateReader } from './ledger-rows.ts';
import { proofsOf, reached, requireEngine, snapshot } from './ledger-reading.ts';
import { admit, requireFew, signProposal, type Admitted, type SignedProposal } from './proposal.ts';
import { stateCache } from './state-cache.ts';
import { openCombiner } from './submit-combiner.ts';
import { isConsistent, readSignedHead } from './ledger-proofs.ts';

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
  /** What clients signed with keys that this deployment does not have. */
  submitSigned(proposals: readonly SignedProposal[]): Promise<readonly SubmissionOutcome[]>;
  /** Whether the chain still holds a head that somebody kept: its signature, its block and everything before it. */
  isConsistent(kept: SignedHead): Promise<boolean>;
}

/** Batched facts that weigh as much as a transaction when calls are put together. */
const leavesPerUnit = limits.ledgerCallLeaves / limits.ledgerSubmissions;

/** The parts of an engine that need no database. */
export function embeddedEngine(options: Omit<EmbeddedLedgerOptions, 'db'>): Engine {
  const { key, mspIds = [platformMsp, workerMsp] } = options;
  return {
    key,
    endorse: endorser(options.contracts ?? contracts),
    channel: options.channel ?? 'public-marketplace',
    mspIds,
    cache: stateCache(),
    creatorOf: creatorsUnder(mspIds.map((mspId) => ({ mspId, certificate: key.authority(mspId) }))),
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
  await requireEngine(db, 'embedded');
  if (first.publicKey !== key.publicKey) throw refuse('config.invalid', 'the ledger was made with another key');
  const combiner = openCombiner(
    (requests: readonly Admitted[]) => db.transaction((tx) => commitRequests(engine, tx, requests)),
    ({ submission }) => 1 + (submission.leaves?.length ?? 0) / leavesPerUnit,
  );
  const signed = async (submissions: readonly Submission[], as: LedgerIdentity): Promise<Admitted[]> => {
    requireFew(submissions);
    const signer = key.member(as);
    const proposals = submissions.map((submission) => signProposal(engine.channel, submission, signer));
    return admit(engine, proposals, signer);
  };
  return {
    engine: 'embedded',
    submit: async (submissions, as) => reached(combiner(await signed(submissions, as))),
    submitIn: async (tx, submissions, as) => commitRequests(engine, tx, await signed(submissions, as)),
    submitSigned: async (proposals) => reached(combiner(await admit(engine, proposals))),
    evaluate: (contract, fn, args, as) => snapshot(db, (tx) => evaluate(engine, tx, { contract, fn, args }, as)),
    ...proofsOf(db),
    isConsistent: (kept) => snapshot(db, (tx) => isConsistent(tx, kept)),
  };
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
