/** Takes one submission to its block: endorsed, ordered, committed and projected, or refused, each told apart. */

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contract, Transaction } from '@hyperledger/fabric-gateway';
import { transientKey, transientSealed } from '@assay/contracts';
import {
  Fault,
  limits,
  parseSha256,
  type Submission,
  type SubmissionOutcome,
  type TransactionRecord,
} from '@assay/core';
import { asHash } from '../block.ts';
import type { StoredTx } from '../ledger-rows.ts';
import { refused } from '../requests.ts';
import { problemOfGateway, type GatewayProblem } from './gateway-errors.ts';
import { heightOf } from './height.ts';
import type { Peers } from './peers.ts';
import type { Landing, Projection } from './projection.ts';
import { scopedKey } from './storable.ts';
import type { FabricMember } from './wallet.ts';

export interface SubmitDeps {
  /** What each of the keys committed, in their order; undefined for one that did not. */
  readonly committed: (keys: readonly string[]) => Promise<readonly (StoredTx | undefined)[]>;
  readonly peers: Peers;
  readonly projection: Projection;
  /** The newest block in the database, which other servers write too. */
  readonly newest: () => Promise<bigint>;
  readonly chaincode: string;
  /** The organisations whose peers may have to endorse. */
  readonly organizations: readonly string[];
}

/** Submits until the outcome is certain; faults `ledger.unavailable` after `limits.fabricSubmitMs`. */
export async function submitToFabric(
  deps: SubmitDeps,
  submission: Submission,
  member: FabricMember,
): Promise<SubmissionOutcome> {
  const deadline = performance.now() + limits.fabricSubmitMs;
  const stored = await storedOutcome(deps, submission, member);
  if (stored) return stored;
  for (let conflicts = 0; ;) {
    const attempt = await endorsedUntil(deps, submission, member, deadline);
    if (attempt.kind === 'outcome') return attempt.outcome;
    const landing = await orderedUntil(deps, attempt.transaction, member, deadline);
    if (landing.code === 0) {
      return { kind: 'committed', txId: landing.txId, block: landing.block, result: landing.result };
    }
    conflicts += 1;
    if (conflicts >= limits.fabricConflicts || performance.now() > deadline) {
      return { kind: 'conflict', message: `validation code ${landing.code}: what the transaction read has changed` };
    }
    await jitter(conflicts);
  }
}

/** Full jitter: contenders for one key must not meet again. */
function jitter(attempt: number): Promise<void> {
  const most = Math.min(limits.fabricRetryMaxMs, limits.fabricRetryMs * 2 ** Math.min(attempt, 10));
  return sleep(randomInt(most));
}

type Attempt =
  | { readonly kind: 'endorsed'; readonly transaction: Transaction }
  | { readonly kind: 'outcome'; readonly outcome: SubmissionOutcome };

async function endorsedUntil(
  deps: SubmitDeps,
  submission: Submission,
  member: FabricMember,
  deadline: number,
): Promise<Attempt> {
  const upToDate = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    const { turn } = deps.peers;
    if (deps.projection.contradiction) throw deps.projection.contradiction;
    try {
      await settled(deps.projection);
      return { kind: 'endorsed', transaction: await propose(deps, submission, member).endorse() };
    } catch (error) {
      const problem = problemOfGateway(error);
      if (problem.kind === 'refused' && problem.code === 'idempotency.key_reused') {
        const outcome = await outcomeOfTwin(deps, submission, member, problem.message, deadline);
        return { kind: 'outcome', outcome };
      }
      if (problem.kind === 'refused') {
        // A peer that lags behind refuses what it cannot see yet: only up to date does its no count.
        const refusers = problem.by.length > 0 ? problem.by : deps.organizations;
        if (refusers.every((mspId) => upToDate.has(mspId))) return { kind: 'outcome', outcome: refused(problem) };
        if (await areUpToDate(deps, member, refusers, deadline)) for (const mspId of refusers) upToDate.add(mspId);
        else await jitter(attempt);
        continue;
      }
      giveUpAfter(deadline, problem, error);
      if (problem.kind === 'passing' && problem.isPeerAway) deps.peers.failOver(turn);
      await jitter(attempt);
    }
  }
}

function giveUpAfter(deadline: number, problem: GatewayProblem, cause: unknown): void {
  if (problem.kind === 'passing' && performance.now() < deadline) return;
  throw new Fault('ledger.unavailable', problem.message, { cause, retry: true });
}

function propose({ peers, chaincode }: SubmitDeps, submission: Submission, member: FabricMember) {
  const contract: Contract = peers.network(member).getContract(chaincode, submission.contract);
  return contract.newProposal(submission.fn, {
    arguments: [...submission.args],
    transientData: {
      [transientKey]: submission.idempotencyKey,
      ...(submission.sealed === undefined ? {} : { [transientSealed]: submission.sealed }),
    },
  });
}

/**
 * Sends the transaction until it comes back in a block. What an orderer accepted is not on disk yet, so it is sent again
 * when it stays away; its id lets it count once.
 */
async function orderedUntil(
  deps: SubmitDeps,
  transaction: Transaction,
  member: FabricMember,
  deadline: number,
): Promise<Landing> {
  const { landed, forget } = deps.projection.landing(transaction.getTransactionId());
  try {
    for (let attempt = 1; ; attempt += 1) {
      const { turn } = deps.peers;
      // The peer that endorsed it may be gone: what is signed goes through whichever is in use.
      const sent = attempt === 1 ? transaction : deps.peers.transaction(member, transaction.getBytes());
      const problem = await sent.submit().then(
        () => undefined,
        (error: unknown) => problemOfGateway(error),
      );
      if (problem?.kind === 'passing' && problem.isPeerAway) deps.peers.failOver(turn);
      const waitMs = problem === undefined ? limits.fabricCommitMs : limits.fabricRetryMs * 2 ** Math.min(attempt, 5);
      const landing = await Promise.race([landed, sleep(waitMs, undefined, { ref: false })]);
      if (landing) return landing;
      if (performance.now() > deadline) {
        throw new Fault('ledger.unavailable', problem?.message ?? 'the transaction was ordered but came in no block', {
          retry: true,
        });
      }
    }
  } finally {
    forget();
  }
}

/** The chain has the key: what it committed is in the database or about to be. */
async function outcomeOfTwin(
  deps: SubmitDeps,
  submission: Submission,
  member: FabricMember,
  txId: string,
  deadline: number,
): Promise<SubmissionOutcome> {
  while (parseSha256(txId) !== undefined && performance.now() < deadline) {
    const stored = await storedOutcome(deps, submission, member);
    if (stored) return stored;
    await sleep(limits.fabricRetryMs);
  }
  throw new Fault('ledger.unavailable', `transaction ${txId} has not come in a block yet`, { retry: true });
}

/** What the key committed before, when it did. */
async function storedOutcome(
  { committed }: Pick<SubmitDeps, 'committed'>,
  submission: Submission,
  member: FabricMember,
): Promise<SubmissionOutcome | undefined> {
  const [row] = await committed([scopedKey(member.mspId, submission.idempotencyKey)]);
  if (!row) return undefined;
  const record = JSON.parse(row.transaction) as TransactionRecord;
  // Certificates change, organisations stay.
  const isSame =
    record.creator.mspId === member.mspId &&
    JSON.stringify([record.contract, record.fn, record.args]) ===
      JSON.stringify([submission.contract, submission.fn, submission.args]);
  if (!isSame) {
    return refused({ code: 'idempotency.key_reused', message: 'the key committed another transaction before' });
  }
  return { kind: 'committed', txId: asHash(record.txId), block: row.block, result: record.result };
}

/**
 * A peer tells of a block a moment before its state shows it. What was told in the last moment is given that time, so
 * that a caller reads its own writes.
 */
export async function settled(projection: Pick<Projection, 'heardAtMs'>): Promise<void> {
  const leftMs = projection.heardAtMs + settleMs - performance.now();
  if (leftMs > 0) await sleep(leftMs);
}

const settleMs = 20;

/**
 * Waits until the peers of those who refused have the blocks that the database has; false when one of them is away. Only
 * they are asked: who said nothing may be gone for good.
 */
async function areUpToDate(
  deps: SubmitDeps,
  member: FabricMember,
  refusers: readonly string[],
  deadline: number,
): Promise<boolean> {
  const stored = await deps.newest();
  const newest = stored > deps.projection.newest ? stored : deps.projection.newest;
  const network = deps.peers.network(member);
  for (;;) {
    const heights = await Promise.all(refusers.map((mspId) => heightOf(network, mspId)));
    if (heights.every((height) => height > newest)) break;
    if (performance.now() > deadline) {
      throw new Fault('ledger.unavailable', 'a peer is too far behind to endorse', { retry: true });
    }
    if (heights.includes(-1n)) return false;
    await sleep(limits.fabricRetryMs);
  }
  await sleep(settleMs);
  return true;
}
