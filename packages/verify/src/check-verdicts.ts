/** Judges every unit again, by the very rules of the market. */

import {
  assess,
  comparatorOf,
  limits,
  readMetric,
  type ReceiptReplica,
  type ReceiptUnit,
  type ReplicaEvidence,
} from '@assay/core';
import { hold, type ReceiptContext } from './receipt-context.ts';

/** Every unit of the manifest is there once and its verdict is what its results give. */
export function checkVerdicts(context: ReceiptContext): void {
  const { receipt, manifest } = context;
  const { chunks, merge_script: merge } = manifest.parallelism;
  const expected = Array.from({ length: chunks }, (_, ordinal) => `work ${ordinal}`);
  if (merge !== undefined) expected.push('merge 0');
  const found = receipt.units.map((unit) => `${unit.kind} ${unit.ordinal}`);
  hold(found.join() === expected.join(), 'the units are not those of the manifest, in order');
  const replicas = receipt.units.flatMap((unit) => unit.replicas.map((one) => one.replica));
  hold(new Set(replicas).size === replicas.length, 'a replica is listed twice');
  hold(new Set(receipt.units.map((unit) => unit.unit)).size === receipt.units.length, 'a unit is listed twice');
  for (const unit of receipt.units) checkVerdict(context, unit);
}

function checkVerdict({ receipt, manifest }: ReceiptContext, unit: ReceiptUnit): void {
  const owners = new Map(receipt.devices.map((device) => [device.worker, device.owner]));
  hold(new Set(unit.replicas.map((one) => one.worker)).size === unit.replicas.length, 'a device ran a unit twice');
  const parties = new Set(unit.replicas.map((one) => owners.get(one.worker)));
  hold(
    parties.size === unit.replicas.length && !parties.has(undefined),
    `the replicas of ${unit.unit} are not independent`,
  );
  const comparator = comparatorOf(manifest, unit.kind);
  // Equal bytes are asked of equal machines alone, and the first to claim a unit decides which.
  const classes = new Set(unit.replicas.map((one) => one.machineClass));
  hold(comparator.type !== 'exact' || classes.size === 1, `the replicas of ${unit.unit} ran on unlike machines`);
  const name = manifest.verification.type === 'metric' ? manifest.verification.metric_name : undefined;
  const evidence = unit.replicas.map((one): ReplicaEvidence => ({
    replica: one.replica,
    state: 'revealed',
    independenceKey: owners.get(one.worker) ?? '',
    digest: one.digest,
    exitCode: one.exitCode,
    metric: comparator.type === 'metric' ? metricOf(one, name) : null,
  }));
  const policy = {
    comparator,
    redundancy: receipt.terms.redundancy,
    attemptsFactor: limits.replicaAttemptsFactor,
    lossesFactor: limits.replicaLossesFactor,
  };
  const judged = assess(policy, { replicas: evidence, unclaimed: 0, patienceOver: true });
  const { verdict } = unit;
  hold(judged.kind === 'agreed' && !judged.failed, `the results of ${unit.unit} do not agree on a value`);
  hold(judged.digest === verdict.digest && judged.canonical === verdict.canonical, `${unit.unit} has another result`);
  hold(judged.exitCode === verdict.exitCode, `${unit.unit} ended otherwise`);
  const metric = judged.metric === null ? null : String(judged.metric);
  hold(metric === verdict.metric, `the metric of ${unit.unit} is ${metric}`);
  hold(judged.agreeing.join() === verdict.agreeing.join(), `other replicas of ${unit.unit} agree`);
}

function metricOf(one: ReceiptReplica, name: string | undefined): number | null {
  return one.exitCode === 0 && one.metrics !== null && name !== undefined ? readMetric(one.metrics, name) : null;
}
