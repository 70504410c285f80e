/** Takes submissions to their outcomes inside one database transaction, in as many blocks as they need. */

import { limits, refuse, type Submission, type SubmissionOutcome, type TransactionRecord } from '@assay/core';
import type { Tx } from '@assay/store';
import { asHash, nonceOf, txIdOf } from './block.ts';
import { fitInOneBlock, namesIn } from './dependency.ts';
import type { Endorse, Endorsement } from './endorse.ts';
import { timestampOf } from './fabric-runtime.ts';
import type { LedgerKey, Member } from './keys.ts';
import { leavesOf, type Leaves } from './leaves.ts';
import { genesisBlock, headAfter, makeBlock, type Endorsed } from './make-block.ts';
import { insertBlock, knownTxIds, lockHead, stateReader, transactionsByKey, type HeadRow } from './ledger-rows.ts';
import type { StateCache } from './state-cache.ts';
import { batchedGet, type StateReader } from './state-reader.ts';
import { signProposal, type Admitted, type Gate } from './proposal.ts';
import { refused, repeatedOutcome, type Repeat } from './requests.ts';
import type { ReadWriteSet } from './transaction-stub.ts';

/** What the embedded engine is made of. */
export interface Engine extends Gate {
  readonly key: LedgerKey;
  readonly endorse: Endorse;
  /** The organisations whose authorities block 0 names. */
  readonly mspIds: readonly string[];
  readonly cache: StateCache;
}

interface Pending {
  /** Where its outcome belongs. */
  readonly index: number;
  readonly submission: Submission;
  readonly member: Member;
  readonly nonce: string;
  readonly txId: string;
  readonly signature: string;
  readonly leaves: Leaves | undefined;
  /** What it touched when it was last run and had to wait. */
  readonly touched: ReadWriteSet;
}

const untouched: ReadWriteSet = { reads: [], ranges: [], writes: [], event: null };

/**
 * The outcome of each request; the head stays locked until the transaction ends. The blocks may still be on their way to
 * the database, which writes one while the next is made: its commit waits for them, and fails where one of them does.
 */
export async function commitRequests(
  engine: Engine,
  tx: Tx,
  requests: readonly Admitted[],
): Promise<SubmissionOutcome[]> {
  const outcomes: SubmissionOutcome[] = [];
  const sound = soundOf(requests, outcomes);
  // What is asked next goes out with the lock, and is answered after it.
  const locked = lockChain(engine, tx);
  const stored = storedBefore(tx, sound);
  stored.catch(() => undefined);
  let head = await locked;
  const { pending: first, repeats } = newcomers(engine, await stored, sound, outcomes);
  let pending = first;
  while (pending.length > 0) {
    const size = roundSize(pending);
    const round = pending.slice(0, size);
    const rest = pending.slice(size);
    const reader = engine.cache.over(head.hash, stateReader(tx));
    const { now, later } = await cutBlock(engine, head, round, reader);
    head = await commitRound(engine, tx, head, { executed: now, reader }, outcomes);
    pending = [...later, ...rest];
  }
  const asked = requests.map((one) => [one.submission, one.problem ?? one.creator.fingerprint]);
  for (const { index, of } of repeats) outcomes[index] = repeatedOutcome(asked, outcomes, index, of);
  return outcomes;
}

/** How many of the first go into one block at most. */
function roundSize(pending: readonly Pending[]): number {
  let leaves = 0;
  const over = pending.findIndex((one, index) => {
    leaves += one.leaves?.count ?? 0;
    return index === limits.ledgerBlockTransactions || leaves > limits.ledgerCallLeaves;
  });
  return over === -1 ? pending.length : over;
}

/** Executes what may go into the next block together; the rest waits and is not run in vain. */
async function cutBlock(
  engine: Engine,
  head: HeadRow,
  round: readonly Pending[],
  reader: StateReader,
): Promise<{ now: Executed[]; later: Pending[] }> {
  const names = round.map(({ submission }) => namesIn(submission.args));
  const likely = fitInOneBlock(
    round.map(({ touched }) => touched),
    [],
    names,
  );
  const candidates = round.filter((_, index) => likely[index]);
  const executed = new Map((await execute(engine, head, candidates, reader)).map((one) => [one.pending, one]));
  const sets = round.map((pending) => executed.get(pending)?.result.set ?? pending.touched);
  const fits = fitInOneBlock(
    sets,
    likely.map((one) => !one),
    names,
  );
  const now: Executed[] = [];
  const later: Pending[] = [];
  for (const [index, pending] of round.entries()) {
    const one = executed.get(pending);
    if (one && fits[index]) now.push(one);
    else later.push({ ...pending, touched: sets[index] ?? untouched });
  }
  return { now, later };
}

/** Locks the head and makes block 0 when there is none yet. */
export async function lockChain(engine: Engine, tx: Tx): Promise<HeadRow> {
  const head = await lockHead(tx);
  if (head.nextBlock > 0n) return head;
  const rows = genesisBlock(head, engine.key, engine.channel, engine.mspIds);
  await insertBlock(tx, rows, head.nextFact);
  return headAfter(head, rows);
}

type Sound = Extract<Admitted, { readonly problem?: undefined }> & { readonly index: number };

/** The requests that are in order; the others get their outcome here. */
function soundOf(requests: readonly Admitted[], outcomes: SubmissionOutcome[]): Sound[] {
  const sound: Sound[] = [];
  for (const [index, request] of requests.entries()) {
    if (request.problem) outcomes[index] = refused(request.problem);
    else sound.push({ index, ...request });
  }
  return sound;
}

/** The requests that are not committed yet; the others get their outcome here. */
function newcomers(
  engine: Engine,
  stored: Awaited<ReturnType<typeof storedBefore>>,
  sound: readonly Sound[],
  outcomes: SubmissionOutcome[],
): { pending: Pending[]; repeats: Repeat[] } {
  const seen = new Map<string, number>();
  const used = new Set(stored.txIds);
  const pending: Pending[] = [];
  const repeats: Repeat[] = [];
  for (const one of sound) {
    const { index, submission, creator } = one;
    const { idempotencyKey } = submission;
    const of = seen.get(idempotencyKey);
    if (of !== undefined) {
      repeats.push({ index, of });
      continue;
    }
    seen.set(idempotencyKey, index);
    const earlier = stored.byKey.get(idempotencyKey) ?? [];
    const valid = earlier.find((row) => row.code === 0);
    if (valid) {
      outcomes[index] = storedOutcome(valid, submission, creator);
      continue;
    }
    const next = earlier.length === 0 ? one : signedAgain(engine, one, earlier.length);
    if (used.has(next.txId)) outcomes[index] = refused(usedNonce());
    else pending.push({ ...next, member: creator, touched: untouched });
    used.add(next.txId);
  }
  return { pending, repeats };
}

async function storedBefore(tx: Tx, sound: readonly Sound[]) {
  const [rows, txIds] = await Promise.all([
    transactionsByKey(
      tx,
      sound.map(({ submission }) => submission.idempotencyKey),
    ),
    knownTxIds(
      tx,
      sound.map(({ txId }) => txId),
    ),
  ]);
  return { byKey: Map.groupBy(rows, (row) => row.key), txIds };
}

/** A conflict used up the nonce of the attempt before; whoever signed elsewhere must choose another one. */
function signedAgain(engine: Engine, one: Sound, attempt: number): Sound {
  if (!one.signer) return one;
  const nonce = nonceOf(one.submission, attempt);
  const { signature } = signProposal(engine.channel, one.submission, one.signer, nonce);
  return { ...one, nonce, txId: txIdOf(nonce, one.creator), signature };
}

function usedNonce() {
  return refuse('ledger.refused', 'the nonce was used before: sign the submission again with another one');
}

function storedOutcome(
  row: { readonly block: bigint; readonly transaction: string },
  submission: Submission,
  member: Member,
): SubmissionOutcome {
  const record = JSON.parse(row.transaction) as TransactionRecord;
  const same =
    record.creator.certificate === member.fingerprint &&
    JSON.stringify([record.contract, record.fn, record.args, record.leaves?.root]) ===
      JSON.stringify([submission.contract, submission.fn, submission.args, leavesOf(submission)?.root]);
  if (!same) return refused(refuse('idempotency.key_reused', 'the key committed another transaction before'));
  return { kind: 'committed', txId: asHash(record.txId), block: row.block, result: record.result };
}

interface Executed {
  readonly pending: Pending;
  readonly atMs: number;
  readonly result: Endorsement;
}

/** Runs all of them side by side on the same committed state: what they read at once is fetched at once. */
function execute(engine: Engine, head: HeadRow, round: readonly Pending[], reader: StateReader): Promise<Executed[]> {
  const get = batchedGet(reader);
  const atMs = Math.max(head.nowMs, head.atMs);
  const timestamp = timestampOf(atMs);
  return Promise.all(
    round.map(async (pending) => {
      const { submission, member, txId } = pending;
      const { contract, fn, args } = submission;
      const { mspId, certificate } = member;
      const proposal = { contract, fn, args, txId, channel: engine.channel, mspId, certificate, timestamp };
      return { pending, atMs, result: await engine.endorse(proposal, get, reader) };
    }),
  );
}

async function commitRound(
  engine: Engine,
  tx: Tx,
  head: HeadRow,
  { executed, reader }: { readonly executed: readonly Executed[]; readonly reader: StateReader },
  outcomes: SubmissionOutcome[],
): Promise<HeadRow> {
  const endorsed: (Endorsed & { index: number })[] = [];
  for (const { pending, atMs, result } of executed) {
    if (result.kind === 'refused') outcomes[pending.index] = refused(result);
    else endorsed.push({ ...pending, atMs, result: result.result, set: result.set });
  }
  if (endorsed.length === 0) return head;
  const { after, codes, written } = await writeBlock(engine, tx, head, { endorsed, reader });
  written.catch(() => undefined);
  for (const [place, { index, txId, result }] of endorsed.entries()) {
    outcomes[index] =
      codes[place] === 0
        ? { kind: 'committed', txId: asHash(txId), block: head.nextBlock, result }
        : { kind: 'conflict', message: `validation code ${codes[place]}: what the transaction read has changed` };
  }
  return after;
}

/** Makes a block and sends it on its way; `reader` gives the state at `head`. */
export async function writeBlock(
  engine: Engine,
  tx: Tx,
  head: HeadRow,
  { endorsed, reader }: { readonly endorsed: readonly Endorsed[]; readonly reader: StateReader },
) {
  const rows = await makeBlock(head, endorsed, reader, engine.key);
  const written = insertBlock(tx, rows, head.nextFact);
  const after = headAfter(head, rows);
  engine.cache.advance(after.hash, rows.writes);
  return { after, codes: rows.transactions.map(({ code }) => code), written };
}
