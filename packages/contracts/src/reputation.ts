/** Reputation: counters of what workers did. What a worker is worth is computed from them elsewhere. */

import { canonicalJson, limits, refuse, type WorkerId } from '@assay/core';
import type { Call, ContractVersion } from './call.ts';
import {
  countOf,
  jobIdOf,
  listOf,
  malformed,
  membersOf,
  objectOf,
  oneOf,
  textOf,
  wholeNumberOf,
  workerIdOf,
} from './arguments.ts';
import { emit } from './facts.ts';
import { LedgerContract } from './ledger-contract.ts';
import { contractOf, keyOf, readRecord, timeMsOf, writeRecord, type ReputationRecord } from './records.ts';

const reasonPattern = /^[a-z][a-z0-9_.-]{0,63}$/;

export class Reputation extends LedgerContract {
  constructor(version?: ContractVersion) {
    super('Reputation', version);
  }

  /**
   * Adds to a worker's counters. `success` is `true` or `false`; metrics: `{job, replicas}`, and `cause`
   * (`disagreed`, which is meant without it, or `lost`) where it failed.
   */
  async recordResult(ctx: Call, workerId: string, success: string, metrics: string): Promise<string> {
    const worker = workerIdOf(workerId);
    const agreed = oneOf('success', success, ['true', 'false']) === 'true';
    const given = objectOf('metrics', metrics, ['job', 'replicas'], agreed ? [] : ['cause']);
    const job = jobIdOf(String(given['job']));
    const replicas = countOf('replicas', given['replicas'], 1, limits.ledgerReplicas);
    const counter = agreed ? 'agreed' : oneOf('cause', given['cause'] ?? 'disagreed', ['disagreed', 'lost']);
    const before = await reputationOf(ctx, worker);
    const after = { ...before, [counter]: before[counter] + replicas };
    await writeRecord(ctx, keyOf(ctx, 'reputation', worker), after);
    emit(ctx, ['ResultRecorded', { job, worker, counter, replicas }]);
    return canonicalJson(after);
  }

  /**
   * Adds what many workers did for one contract: a list of `{worker, agreed, disagreed, lost}`, each worker once. Long lists
   * come in parts, numbered from 0; a part is recorded once only.
   */
  async recordResults(ctx: Call, contractId: string, part: string, results: string): Promise<string> {
    const job = jobIdOf(contractId);
    const number = wholeNumberOf('part', part, limits.ledgerReplicas);
    const list = resultsOf(results);
    await contractOf(ctx, job);
    const marker = keyOf(ctx, 'recorded', job, String(number).padStart(8, '0'));
    if ((await readRecord(ctx, marker)) !== undefined) throw refuse('job.wrong_state', 'this part is recorded already');
    // Reads of one transaction do not depend on each other, so they may travel together.
    const pairs = await Promise.all(
      list.map(async (result) => [await reputationOf(ctx, result.worker), result] as const),
    );
    for (const [before, result] of pairs) {
      await writeRecord(ctx, keyOf(ctx, 'reputation', result.worker), {
        ...before,
        agreed: before.agreed + result.agreed,
        disagreed: before.disagreed + result.disagreed,
        lost: before.lost + result.lost,
      });
    }
    await writeRecord(ctx, marker, { atMs: timeMsOf(ctx), workers: list.length });
    emit(ctx, ['ResultsRecorded', { job, part: number, results: list }]);
    return canonicalJson({ job, part: number, workers: list.length });
  }

  /** A worker's counters; all zero for one that the ledger does not know. */
  async getReputation(ctx: Call, workerId: string): Promise<string> {
    return canonicalJson(await reputationOf(ctx, workerIdOf(workerId)));
  }

  /** Counts a breach. `reason` is a short code such as `sandbox.escape`: no free text, which could name a person. */
  async slashReputation(ctx: Call, workerId: string, reason: string): Promise<string> {
    const worker = workerIdOf(workerId);
    const code = textOf('reason', reason, reasonPattern);
    const before = await reputationOf(ctx, worker);
    const after = { ...before, slashed: before.slashed + 1 };
    await writeRecord(ctx, keyOf(ctx, 'reputation', worker), after);
    emit(ctx, ['ReputationSlashed', { worker, reason: code }]);
    return canonicalJson(after);
  }
}

async function reputationOf(ctx: Call, worker: WorkerId): Promise<ReputationRecord> {
  const record = await readRecord<ReputationRecord>(ctx, keyOf(ctx, 'reputation', worker));
  return record ?? { worker, agreed: 0, disagreed: 0, lost: 0, slashed: 0 };
}

type WorkerResult = Omit<ReputationRecord, 'slashed'>;

function resultsOf(text: string): readonly WorkerResult[] {
  const list = listOf('results', text).map((item) => {
    const given = membersOf('a result', item, ['worker', 'agreed', 'disagreed', 'lost']);
    return {
      worker: workerIdOf(String(given['worker'])),
      agreed: countOf('agreed', given['agreed'], 0, limits.ledgerReplicas),
      disagreed: countOf('disagreed', given['disagreed'], 0, limits.ledgerReplicas),
      lost: countOf('lost', given['lost'], 0, limits.ledgerReplicas),
    };
  });
  if (new Set(list.map((result) => result.worker)).size !== list.length) throw malformed('a worker stands there twice');
  return list;
}
