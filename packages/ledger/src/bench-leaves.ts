/**
 * How many batched facts a second the embedded ledger takes. A batched fact is a text that one client puts on the chain
 * together with up to 999 others, in one transaction that it signs: the signature covers the Merkle root over them. The
 * ledger hashes every text again before it believes the root, stores every text with the block (fsync), proves each by
 * itself (`proveLeaf`), and `ledger verify` finds an edited byte of any. What it does not do for each: run a contract,
 * keep a state, tell followers. The transaction does that once for all of them.
 */

import { randomBytes } from 'node:crypto';
import { platformMsp } from '@assay/contracts';
import { limits, utf8, verifyMerklePath, type Sha256Hex, type TransactionRecord } from '@assay/core';
import { sha256, sha256Hex } from './block.ts';
import type { EmbeddedLedger } from './embedded-ledger.ts';
import type { LedgerKey } from './keys.ts';
import { signProposal, type SignedProposal } from './proposal.ts';

export interface LeavesBenchOptions {
  readonly ledger: EmbeddedLedger;
  /** Whose organisation the client belongs to. */
  readonly key: LedgerKey;
  readonly channel: string;
  /** Transactions, and the batched facts of each. */
  readonly batches: number;
  readonly leaves: number;
  /** Calls of one transaction each that wait at the same time. */
  readonly callers: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

export interface LeavesBenchResult {
  /** Batched facts. */
  readonly committed: number;
  readonly perSecond: number;
}

/** Like what the market hashes about a replica: an id and the hash of what it revealed. */
function batchOf(run: string, batch: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${run}${String(batch * limits.ledgerLeaves + index).padStart(24, '0')}`;
    return `rpl_${id} ${sha256Hex(id)}`;
  });
}

/** Signed before the clock starts, as clients sign on machines of their own. */
function proposals({ key, channel, batches, leaves }: LeavesBenchOptions): SignedProposal[] {
  const run = randomBytes(4).toString('hex');
  const client = key.member({ mspId: platformMsp, name: 'bench', roles: ['orchestrator'] });
  return Array.from({ length: batches }, (_, batch) => {
    const id = `${run}${String(batch).padStart(24, '0')}`;
    const args = [`wrk_${id}`, 'true', `{"job":"job_${id}","replicas":${leaves}}`];
    const idempotencyKey = `leaves/${run}/${batch}`;
    const call = { contract: 'Reputation', fn: 'recordResult', args, idempotencyKey } as const;
    return signProposal(channel, { ...call, leaves: batchOf(run, batch, leaves) }, client);
  });
}

export async function benchLeaves(options: LeavesBenchOptions): Promise<LeavesBenchResult> {
  const { ledger, callers, nowMs } = options;
  const signed = proposals(options);
  let next = 0;
  let committed = 0;
  let last: Sha256Hex | undefined;
  const caller = async (): Promise<void> => {
    while (next < signed.length) {
      const proposal = signed[next];
      next += 1;
      if (proposal === undefined) return;
      const [outcome] = await ledger.submitSigned([proposal]);
      if (outcome?.kind !== 'committed') continue;
      committed += proposal.submission.leaves?.length ?? 0;
      last = outcome.txId;
    }
  };
  const started = nowMs();
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsedMs = nowMs() - started;
  if (last !== undefined) await requireProof(ledger, last, options.leaves - 1);
  return { committed, perSecond: Math.round((committed * 1000) / elapsedMs) };
}

/** A run of facts that cannot be proved counts for nothing. */
async function requireProof(ledger: EmbeddedLedger, txId: Sha256Hex, index: number): Promise<void> {
  const { leaf, path, transaction } = await ledger.proveLeaf(txId, index);
  const { leaves } = JSON.parse(transaction.transaction) as TransactionRecord;
  const claim = { leaf: utf8(leaf), index, size: leaves?.count ?? 0, path, root: leaves?.root ?? '' };
  if (!verifyMerklePath(sha256, claim)) throw new Error('a batched fact cannot be proved');
}
