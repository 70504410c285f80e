/** What every tick needs to know of a job and never changes once it is funded, read once a server. */

import {
  comparatorOf,
  limits,
  networkTargetsOf,
  outputBounds,
  timeoutMsOf,
  type Comparator,
  type JobId,
  type Manifest,
  type ReplicationPolicy,
  type UnitKind,
  type UnitNeeds,
  type WorkJobRow,
  type WorkStore,
} from '@assay/core';
import type { JobSpec } from './exchange-reply.ts';

export interface JobFacts {
  readonly id: JobId;
  readonly manifest: Manifest;
  readonly policies: Readonly<Record<UnitKind, ReplicationPolicy>>;
  readonly needs: Omit<UnitNeeds, 'machineClass' | 'taken'>;
  readonly hasMerge: boolean;
  /** What one work unit may write. */
  readonly outputBounds: ReturnType<typeof outputBounds>;
  readonly spec: JobSpec;
}

export interface JobFactsReader {
  /** Every one of `jobs`, from memory or the store. */
  load(jobs: Iterable<JobId>): Promise<ReadonlyMap<JobId, JobFacts>>;
}

/** A reader that remembers. */
export function createJobFacts(store: Pick<WorkStore, 'jobs'>): JobFactsReader {
  const known = new Map<JobId, JobFacts>();
  return {
    async load(jobs) {
      const asked = [...new Set(jobs)];
      const missing = asked.filter((id) => !known.has(id));
      if (missing.length > 0) {
        if (known.size + missing.length > limits.cacheRows) known.clear();
        for (const row of await store.jobs([...(known.size === 0 ? asked : missing)])) known.set(row.id, factsOf(row));
      }
      return known;
    },
  };
}

/** The facts of one job. */
export function factsOf(row: WorkJobRow): JobFacts {
  const { manifest } = row;
  const hasMerge = manifest.parallelism.merge_script !== undefined;
  const policy = (comparator: Comparator): ReplicationPolicy => ({
    comparator,
    redundancy: row.redundancy,
    attemptsFactor: limits.replicaAttemptsFactor,
    lossesFactor: limits.replicaLossesFactor,
  });
  return {
    id: row.id,
    manifest,
    // A merge reads agreed inputs, so honest runs of it are equal to the bit.
    policies: { work: policy(comparatorOf(manifest)), merge: policy({ type: 'exact' }) },
    needs: {
      customer: row.customer,
      runner: manifest.runner,
      cpuCores: manifest.resources.cpu_cores,
      memoryGb: manifest.resources.memory_gb,
      hours: manifest.timeout_hours,
      gpu: manifest.resources.gpu,
      network: manifest.network_whitelist.length > 0,
      regions: [],
    },
    hasMerge,
    outputBounds: outputBounds({
      chunks: manifest.parallelism.chunks,
      isMerged: hasMerge,
      memoryBytes: Math.round(manifest.resources.memory_gb * 1024 ** 3),
      bundle: row.bundle,
    }),
    spec: specOf(row),
  };
}

function specOf(row: WorkJobRow): JobSpec {
  const { manifest } = row;
  const { verification } = manifest;
  return {
    runner: manifest.runner,
    entryPoint: manifest.entry_point,
    mergeScript: manifest.parallelism.merge_script ?? null,
    args: manifest.args,
    outputDir: manifest.output_dir,
    bundle: row.bundle,
    resources: {
      cpuCores: manifest.resources.cpu_cores,
      memoryGb: manifest.resources.memory_gb,
      gpu: manifest.resources.gpu,
    },
    network: networkTargetsOf(manifest),
    timeoutMs: timeoutMsOf(manifest),
    randomSeed: manifest.environment.random_seed ?? null,
    chunks: manifest.parallelism.chunks,
    perReplica: { currency: row.currency, minor: row.pricePerReplica.toString() },
    verification:
      verification.type === 'metric'
        ? { type: 'metric', metricName: verification.metric_name, tolerance: verification.tolerance }
        : { type: 'exact' },
  };
}
