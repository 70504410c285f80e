/** Which verdicts go to the ledger together, and the two roots that stand for them. */

import {
  batchRoots,
  limits,
  type JobId,
  type JobProgress,
  type JudgedUnit,
  type OpenVerdict,
  type ReplicaRow,
  type Sha256,
  type WorkTx,
} from '@assay/core';

/** Whether the ledger should be told now: enough verdicts came together, one waits for long, or the job is at its end. */
export function isBatchDue(progress: JobProgress, nowMs: number, jobEnds: boolean): boolean {
  const open = progress.verdicts - progress.verdictsSubmitted;
  if (open === 0) return false;
  const waitedMs = nowMs - (progress.verdictsSubmittedAtMs ?? 0);
  return jobEnds || open >= limits.verdictBatch || waitedMs >= limits.verdictWaitMs;
}

/** Submits all open verdicts of a job, in batches. */
export async function submitOpenVerdicts(tx: WorkTx, sha256: Sha256, job: JobId): Promise<void> {
  for (;;) {
    const open = await tx.openVerdicts(job, limits.verdictBatch);
    const [first] = open;
    const last = open.at(-1);
    if (first === undefined || last === undefined) return;
    const roots = batchRoots(sha256, open.map(judgedOf));
    await tx.submitVerdicts([{ job, first: first.number, last: last.number, ...roots }]);
    if (open.length < limits.verdictBatch) return;
  }
}

/** A verdict and its statements as the roots hash them, from the rows: receipts rebuild the same. */
export function judgedOf(open: OpenVerdict): JudgedUnit {
  const { unit, ordinal, kind, digest, exitCode, metric, canonical } = open;
  const agreeing = open.replicas.filter((one) => one.state === 'agreed' || one.state === 'failed').map((one) => one.id);
  return {
    verdict: { unit, ordinal, kind, digest, exitCode, metric, canonical, agreeing },
    statements: open.replicas.flatMap((one) => statementOf(open, one)),
  };
}

function statementOf(open: OpenVerdict, replica: ReplicaRow): JudgedUnit['statements'] {
  const { id, worker, machineClass, digest, exitCode, metricsSha256: metrics, leaf } = replica;
  if (digest === null || exitCode === null) return [];
  const statement = { job: open.job, unit: open.unit, replica: id, worker, machineClass, digest, exitCode, metrics };
  return [leaf === undefined ? statement : { ...statement, leaf }];
}
