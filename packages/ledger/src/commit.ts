/** Takes submissions to their outcomes inside one database transaction, in as many blocks as they need. */

import {
  limits,
  refuse,
  type LedgerIdentity,
  type Sha256Hex,
  type Submission,
  type SubmissionOutcome,
  type TransactionRecord,
} from '@assay/core';
import type { Tx } from '@assay/store';
import { asHash, nonceOf, txIdOf } from './block.ts';
import { fitInOneBlock, namesIn } from './dependency.ts';
import type { Endorse, Endorsement } from './endorse.ts';
import { timestampOf } from './fabric-runtime.ts';
import type { LedgerKey, Member } from './keys.ts';
import { genesisBlock, headAfter, makeBlock, type Endorsed } from './make-block.ts';
import { insertBlock, knownTxIds, lockHead, stateReader, transactionsByKey, type HeadRow } from './ledger-rows.ts';
import { batchedGet, type StateReader } from './state-reader.ts';
import { problemOf, refused, repeatedOutcome, type Repeat, type Request } from './requests.ts';
import type { ReadWriteSet } from './transaction-stub.ts';

/** What the embedded engine is made of. */
export interface Engine {
  readonly key: LedgerKey;
  readonly endorse: Endorse;
  readonly channel: string;
  /** The organisations whose authorities block 0 names. */
  readonly mspIds: readonly string[];
}

interface Pending {
  /** Where its outcome belongs. */
  readonly index: number;
  readonly submission: Submission;
  readonly member: Member;
  readonly attempt: number;
  /** What it touched when it was last run and had to wait. */
  readonly touched: ReadWriteSet;
}

const untouched: ReadWriteSet = { reads: [], ranges: [], writes: [], event: null };

/** The outcome of each request; the head stays locked until the transaction ends. */
export async function commitRequests(
  engine: Engine,
  tx: Tx,
  requests: readonly Request[],
): Promise<SubmissionOutcome[]> {
  if (requests.length > limits.ledgerSubmissions) {
    throw refuse('request.too_large', `at most ${limits.ledgerSubmissions} submissions go in one call`);
  }
  const outcomes: SubmissionOutcome[] = [];
  let head = await lockChain(engine, tx);
  const { pending: first, repeats } = await newcomers(engine, tx, requests, outcomes);
  let pending = first;
  const reader = stateReader(tx);
  while (pending.length > 0) {
    const round = pending.slice(0, limits.ledgerBlockTransactions);
    const rest = pending.slice(limits.ledgerBlockTransactions);
    const { now, later } = await cutBlock(engine, head, round, reader);
    head = await commitRound(engine, tx, head, now, outcomes);
    pending = [...later, ...rest];
  }
  for (const { index, of } of repeats) outcomes[index] = repeatedOutcome(requests, outcomes, index, of);
  return outcomes;
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

/** The requests that are well formed and not committed yet; the others get their outcome here. */
async function newcomers(
  engine: Engine,
  tx: Tx,
  requests: readonly Request[],
  outcomes: SubmissionOutcome[],
): Promise<{ pending: Pending[]; repeats: Repeat[] }> {
  const sound: { index: number; submission: Submission; as: LedgerIdentity }[] = [];
  for (const [index, request] of requests.entries()) {
    const problem = problemOf(request.submission) ?? sealing(request.submission);
    if (problem) outcomes[index] = refused(problem);
    else sound.push({ index, ...request });
  }
  const rows = await transactionsByKey(
    tx,
    sound.map(({ submission }) => submission.idempotencyKey),
  );
  const stored = Map.groupBy(rows, (row) => row.key);
  const seen = new Map<string, number>();
  const pending: Pending[] = [];
  const repeats: Repeat[] = [];
  for (const { index, submission, as } of sound) {
    const { idempotencyKey } = submission;
    const of = seen.get(idempotencyKey);
    if (of !== undefined) {
      repeats.push({ index, of });
      continue;
    }
    seen.set(idempotencyKey, index);
    const earlier = stored.get(idempotencyKey) ?? [];
    const valid = earlier.find((row) => row.code === 0);
    const member = engine.key.member(as);
    if (valid) outcomes[index] = storedOutcome(valid, submission, member);
    else pending.push({ index, submission, member, attempt: earlier.length, touched: untouched });
  }
  return { pending, repeats };
}

/** Whoever has the one database sees everything in it. */
function sealing({ sealed }: Submission) {
  return sealed === undefined ? undefined : refuse('ledger.refused', 'the embedded ledger has no private data');
}

function storedOutcome(
  row: { readonly block: bigint; readonly transaction: string },
  submission: Submission,
  member: Member,
): SubmissionOutcome {
  const record = JSON.parse(row.transaction) as TransactionRecord;
  const same =
    record.creator.certificate === member.fingerprint &&
    JSON.stringify([record.contract, record.fn, record.args]) ===
      JSON.stringify([submission.contract, submission.fn, submission.args]);
  if (!same) return refused(refuse('idempotency.key_reused', 'the key committed another transaction before'));
  return { kind: 'committed', txId: asHash(record.txId), block: row.block, result: record.result };
}

interface Executed {
  readonly pending: Pending;
  readonly nonce: string;
  readonly txId: Sha256Hex;
  readonly atMs: number;
  readonly result: Endorsement;
}

/** Runs all of them side by side on the same committed state: what they read at once is fetched at once. */
function execute(engine: Engine, head: HeadRow, round: readonly Pending[], reader: StateReader): Promise<Executed[]> {
  const get = batchedGet(reader);
  return Promise.all(
    round.map(async (pending) => {
      const { submission, member, attempt } = pending;
      const nonce = nonceOf(submission, attempt);
      const txId = txIdOf(nonce, member);
      const atMs = Math.max(head.nowMs, head.atMs);
      const { contract, fn, args } = submission;
      const { mspId, certificate } = member;
      const timestamp = timestampOf(atMs);
      const proposal = { contract, fn, args, txId, channel: engine.channel, mspId, certificate, timestamp };
      return { pending, nonce, txId, atMs, result: await engine.endorse(proposal, get, reader) };
    }),
  );
}

async function commitRound(
  engine: Engine,
  tx: Tx,
  head: HeadRow,
  executed: readonly Executed[],
  outcomes: SubmissionOutcome[],
): Promise<HeadRow> {
  const endorsed: (Endorsed & { index: number })[] = [];
  for (const { pending, nonce, txId, atMs, result } of executed) {
    if (result.kind === 'refused') outcomes[pending.index] = refused(result);
    else endorsed.push({ ...pending, nonce, txId, atMs, result: result.result, set: result.set });
  }
  if (endorsed.length === 0) return head;
  const { after, codes } = await commitEndorsed(engine, tx, head, endorsed);
  for (const [place, { index, txId, result }] of endorsed.entries()) {
    outcomes[index] =
      codes[place] === 0
        ? { kind: 'committed', txId: asHash(txId), block: head.nextBlock, result }
        : { kind: 'conflict', message: `validation code ${codes[place]}: what the transaction read has changed` };
  }
  return after;
}

/** One block of transactions that were executed before, perhaps on older state; a replayed tx id is refused. */
export async function commitEndorsed(
  engine: Engine,
  tx: Tx,
  head: HeadRow,
  endorsed: readonly Endorsed[],
): Promise<{ readonly after: HeadRow; readonly codes: readonly number[] }> {
  const txIds = endorsed.map(({ txId }) => txId);
  const known = await knownTxIds(tx, txIds);
  if (known.size > 0 || new Set(txIds).size < txIds.length)
    throw refuse('ledger.refused', 'a transaction id was used before');
  const rows = await makeBlock(head, endorsed, stateReader(tx), engine.key);
  await insertBlock(tx, rows, head.nextFact);
  return { after: headAfter(head, rows), codes: rows.transactions.map(({ code }) => code) };
}
