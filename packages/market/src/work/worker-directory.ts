/** What a server remembers of workers for a few seconds, so that a request needs no query of its own for them. */

import {
  isPrivateBlock,
  limits,
  machineClassOf,
  networkBlock,
  refuse,
  type WorkerId,
  type WorkerProfile,
  type WorkerRow,
  type WorkStore,
} from '@assay/core';

/** A worker with its profile at the address that it speaks from. */
export interface KnownWorker {
  readonly publicKey: string;
  readonly profile: WorkerProfile;
}

export interface WorkerDirectory {
  /** Refuses `worker.not_found`. */
  find(id: WorkerId, ip: string): Promise<KnownWorker>;
}

export interface DirectoryDeps {
  readonly store: Pick<WorkStore, 'workers'>;
  readonly nowMs: () => number;
  /** Private and loopback addresses tell nothing about independence: a deployment on one machine ignores them all. */
  readonly ignoreNetwork: boolean;
  /** Digests of runners that count; none named means any, and then who claims first decides what others may follow. */
  readonly runnerDigests?: readonly string[];
}

interface Entry {
  readonly row: WorkerRow;
  readonly untilMs: number;
  /** The profile at the last address. */
  ip?: string;
  known?: KnownWorker;
}

/** A directory over the store. */
export function createWorkerDirectory(deps: DirectoryDeps): WorkerDirectory {
  const entries = new Map<WorkerId, Entry>();
  const read = batchedRows(deps.store);
  return {
    async find(id, ip) {
      let entry = entries.get(id);
      if (entry === undefined || entry.untilMs < deps.nowMs()) {
        const row = await read(id);
        if (row === undefined) throw refuse('worker.not_found', 'no such worker', { worker: id });
        entry = { row, untilMs: deps.nowMs() + limits.workerCacheMs };
        if (entries.size >= limits.cacheRows) entries.clear();
        entries.set(id, entry);
      }
      if (entry.known === undefined || entry.ip !== ip) {
        entry.ip = ip;
        entry.known = {
          publicKey: entry.row.publicKey,
          profile: profileOf(entry.row, blockOf(ip, deps.ignoreNetwork), deps.runnerDigests),
        };
      }
      return entry.known;
    },
  };
}

/** Reads workers that are asked for at once, as after a tick, with one query. */
function batchedRows(store: DirectoryDeps['store']): (id: WorkerId) => Promise<WorkerRow | undefined> {
  let open: { readonly ids: Set<WorkerId>; readonly rows: Promise<ReadonlyMap<WorkerId, WorkerRow>> } | undefined;
  const readLater = async (ids: ReadonlySet<WorkerId>): Promise<ReadonlyMap<WorkerId, WorkerRow>> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    open = undefined;
    return new Map((await store.workers([...ids])).map((row) => [row.id, row]));
  };
  return async (id) => {
    if (open === undefined) {
      const ids = new Set<WorkerId>();
      open = { ids, rows: readLater(ids) };
    }
    open.ids.add(id);
    return (await open.rows).get(id);
  };
}

function blockOf(ip: string, ignoreNetwork: boolean): string | null {
  if (ignoreNetwork) return null;
  const block = networkBlock(ip);
  return block === undefined || isPrivateBlock(block) ? null : block;
}

/** What a registered machine may say about itself; what it leaves out counts as nothing. */
interface Machine {
  readonly arch?: string;
  readonly cpuCores?: number;
  readonly memoryGb?: number;
  readonly maxHours?: number;
  readonly runners?: readonly {
    readonly runner: string;
    readonly driver: string;
    readonly digest: string;
    readonly egress?: boolean;
    readonly gpu?: boolean;
  }[];
}

/** The profile that placement judges by; of two offers of the same runner the first counts. */
export function profileOf(row: WorkerRow, block: string | null, runnerDigests: readonly string[] = []): WorkerProfile {
  const machine = (row.machine ?? {}) as Machine;
  const runners: Record<string, string> = {};
  const gpuRunners: string[] = [];
  const egressRunners: string[] = [];
  for (const one of machine.runners ?? []) {
    if (runnerDigests.length > 0 && !runnerDigests.includes(one.digest)) continue;
    if (Object.hasOwn(runners, one.runner)) continue;
    runners[one.runner] = machineClassOf(one, machine.arch ?? 'unknown');
    if (one.gpu) gpuRunners.push(one.runner);
    if (one.egress) egressRunners.push(one.runner);
  }
  return {
    worker: row.id,
    owner: row.owner,
    payoutAccount: row.payoutAccount,
    hub: row.hub,
    networkBlock: block,
    banned: row.banned,
    region: row.region,
    cpuCores: machine.cpuCores ?? 0,
    memoryGb: machine.memoryGb ?? 0,
    maxHours: machine.maxHours ?? Infinity,
    runners,
    gpuRunners,
    egressRunners,
  };
}
