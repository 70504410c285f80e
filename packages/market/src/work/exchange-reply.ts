/** What the market answers to an exchange request, as it travels. */

import type { JobId, NetworkTarget, RefusedItem, ReplicaId, Tree, UnitId, UnitKind } from '@assay/core';

/** A replica that the worker may run until its lease ends. */
export interface Offer {
  readonly replica: ReplicaId;
  readonly unit: UnitId;
  readonly job: JobId;
  readonly kind: UnitKind;
  readonly ordinal: number;
  /** What the worker said it would compute this with; its statement of the result repeats it. */
  readonly machineClass: string;
  /** ISO 8601. */
  readonly leaseUntil: string;
  /** Agreed outputs of the work units, for a merge. */
  readonly inputs?: Tree;
}

/** What a worker must know to run units of a job. */
export interface JobSpec {
  readonly runner: string;
  readonly entryPoint: string;
  readonly mergeScript: string | null;
  readonly args: readonly string[];
  readonly outputDir: string;
  readonly bundle: Tree;
  readonly resources: { readonly cpuCores: number; readonly memoryGb: number; readonly gpu: boolean };
  /** The only hosts and ports that units may connect to. */
  readonly network: readonly NetworkTarget[];
  readonly timeoutMs: number;
  readonly randomSeed: number | null;
  readonly chunks: number;
  readonly perReplica: { readonly currency: string; readonly minor: string };
  readonly verification: {
    readonly type: 'exact' | 'metric';
    readonly metricName?: string;
    readonly tolerance?: number;
  };
}

export interface ExchangeReply {
  readonly offers: readonly Offer[];
  /** By job id, for the jobs of the offers that the worker did not say it knows. */
  readonly jobs: Readonly<Record<string, JobSpec>>;
  /** Committed replicas whose results may be shown now. */
  readonly reveal: readonly ReplicaId[];
  /** Replicas that are no longer wanted. */
  readonly stop: readonly ReplicaId[];
  readonly refused: readonly RefusedItem[];
}

/** Whether there is anything in an answer that a waiting worker should hear at once. */
export function saysSomething(reply: ExchangeReply): boolean {
  return reply.offers.length > 0 || reply.reveal.length > 0 || reply.stop.length > 0 || reply.refused.length > 0;
}
