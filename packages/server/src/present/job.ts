/** Jobs, units, replicas and logs from the rows of their readers to the wire. */

import type { Manifest } from '@assay/core';
import type { JobView, LogView, ReplicaView, UnitView } from '@assay/store';
import type { Job, LogLine, Replica, Unit } from '../api/schemas/job.ts';
import { moneyOf, moneyOrNull, timeOrNull } from './money.ts';

/** A job. */
export function presentJob(row: JobView): Job {
  const money = (minor: bigint | null) => moneyOrNull(row.currency, minor);
  return {
    id: row.id,
    name: row.name,
    state: row.state as Job['state'],
    region: row.region as Job['region'],
    manifest: presentManifest(row.manifest),
    manifestHash: row.manifestHash,
    bundle: { digest: row.bundleDigest, files: row.bundleFiles, sizeBytes: Number(row.bundleBytes) },
    price: {
      perReplica: moneyOf(row.currency, row.perReplica),
      cap: moneyOf(row.currency, row.cap),
      charged: money(row.charged),
      spent: money(row.paidOut),
      refunded: money(row.refunded),
    },
    redundancy: row.redundancy,
    counts: {
      units: row.units,
      agreed: row.agreed,
      undecided: row.undecided,
      replicasRunning: row.replicasRunning,
    },
    createdAt: row.createdAt.toISOString(),
    fundedAt: timeOrNull(row.fundedAt),
    verifiedAt: timeOrNull(row.verifiedAt),
    releaseDueAt: timeOrNull(row.releaseDueAt),
    settledAt: timeOrNull(row.settledAt),
    failure: row.failureCode === null ? null : { code: row.failureCode, text: row.failureText ?? '' },
    dispute: presentDisputeOf(row),
  };
}

/** A manifest as it travels: plain JSON. */
export function presentManifest(manifest: Manifest): Job['manifest'] {
  return { ...manifest };
}

function presentDisputeOf(row: JobView): Job['dispute'] {
  const { disputeId: id, disputeState: state, disputeReason: reason, disputeOpenedAt: openedAt } = row;
  if (id === null || state === null || reason === null || openedAt === null) return null;
  return { id, state, reason, openedAt: openedAt.toISOString() };
}

/** Units with their replicas, whose payments are in the job's currency. */
export function presentUnits(units: readonly UnitView[], replicas: readonly ReplicaView[], currency: string): Unit[] {
  const byUnit = Map.groupBy(replicas, (replica) => replica.unitId);
  return units.map((unit) => ({
    id: unit.id,
    ordinal: unit.ordinal,
    kind: unit.kind,
    state: unit.state as Unit['state'],
    agreedDigest: unit.agreedDigest,
    metric: unit.agreedMetric,
    replicas: (byUnit.get(unit.id) ?? []).map((replica) => presentReplica(replica, currency)),
  }));
}

function presentReplica(row: ReplicaView, currency: string): Replica {
  const { wallMs, cpuMs, peakBytes } = row;
  const measured = wallMs !== null && cpuMs !== null && peakBytes !== null;
  return {
    id: row.id,
    workerId: row.workerId,
    workerName: row.workerName ?? row.workerId,
    ownerName: row.ownerName ?? '',
    state: row.state as Replica['state'],
    machineClass: row.machineClass,
    commitment: row.commitment,
    digest: row.digest,
    metric: row.metric,
    claimedAt: row.claimedAt.toISOString(),
    committedAt: timeOrNull(row.committedAt),
    revealedAt: timeOrNull(row.revealedAt),
    usage: measured ? { wallMs: Number(wallMs), cpuMs: Number(cpuMs), peakBytes: Number(peakBytes) } : null,
    paid: moneyOrNull(currency, row.paid),
  };
}

/** One line of a log. */
export function presentLog(row: LogView): LogLine {
  const { unitId, replicaId, stream, text } = row;
  return { position: row.position.toString(), unitId, replicaId, stream, text, at: row.at.toISOString() };
}
