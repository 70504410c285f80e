/** What a worker may take now (D3's pull endpoint): a view for people and simple agents; claims go by the exchange. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import { limits, mayTake, timeoutMsOf, type Clock, type WorkerId, type WorkerProfile } from '@assay/core';
import type { WorkerDirectory } from '@assay/market';
import { readAvailable, type AvailableJob, type Database } from '@assay/store';
import type { Available } from '../api/schemas/exchange.ts';
import { moneyOf } from '../present/money.ts';

export interface AvailableDeps {
  readonly db: Database;
  readonly workers: WorkerDirectory;
  readonly clock: Clock;
  /** Aborted when the server stops: nobody waits any longer then. */
  readonly stopping: AbortSignal;
}

interface Waiting {
  readonly device: WorkerId;
  readonly address: string;
  readonly waitMs: number;
  readonly socket: IncomingMessage;
}

/** Looks, and looks again each second until there is something, the wait is over, the client left or the server stops. */
export async function waitForWork(deps: AvailableDeps, waiting: Waiting): Promise<Available['items']> {
  const { profile } = await deps.workers.find(waiting.device, waiting.address);
  const untilMs = deps.clock.nowMs() + waiting.waitMs;
  for (;;) {
    const jobs = await readAvailable(deps.db, profile.owner, limits.availableUnits, limits.pageItems);
    const items = jobs.filter((job) => fits(profile, job)).map(presentAvailable);
    const leftMs = untilMs - deps.clock.nowMs();
    if (items.length > 0 || leftMs <= 0 || waiting.socket.destroyed || deps.stopping.aborted) return items;
    await sleep(Math.min(leftMs, limits.availablePollMs), undefined, { signal: deps.stopping }).catch(() => undefined);
  }
}

function fits(worker: WorkerProfile, job: AvailableJob): boolean {
  const { manifest } = job;
  const unit = {
    customer: job.customerId as WorkerProfile['owner'],
    runner: manifest.runner,
    cpuCores: manifest.resources.cpu_cores,
    memoryGb: manifest.resources.memory_gb,
    hours: manifest.timeout_hours,
    gpu: manifest.resources.gpu,
    network: manifest.network_whitelist.length > 0,
    regions: [],
    taken: [],
  };
  return job.machineClasses.some((machineClass) => mayTake(worker, { ...unit, machineClass }).ok);
}

function presentAvailable(job: AvailableJob): Available['items'][number] {
  return {
    job: job.id,
    name: job.name,
    runner: job.manifest.runner,
    openReplicas: Number(job.openReplicas),
    perReplica: moneyOf(job.currency, job.perReplica),
    timeoutMs: timeoutMsOf(job.manifest),
  };
}
