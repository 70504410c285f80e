/** What time alone brings about: silent workers lose their leases, old answers and changes are forgotten. */

import { setTimeout as sleep } from 'node:timers/promises';
import { limits, type IdSource, type Sha256, type WorkStore } from '@assay/core';
import { createJobFacts, sweepWork, type Exchange } from '@assay/market';
import { pruneCalls, pruneChanges, type Database } from '@assay/store';
import type { FastifyBaseLogger } from 'fastify';

export interface HousekeepingDeps {
  readonly db: Database;
  readonly work: WorkStore;
  readonly exchange: Pick<Exchange, 'wake'>;
  readonly ids: IdSource;
  readonly sha256: Sha256;
  readonly log: FastifyBaseLogger;
}

/** Starts the sweeps; `stop` waits for those that run. */
export function startHousekeeping(deps: HousekeepingDeps): { stop(): Promise<void> } {
  const { db, work, exchange, log } = deps;
  const facts = createJobFacts(work);
  const sweep = async (): Promise<void> => {
    const { wake, problems } = await sweepWork({ ...deps, store: work, facts });
    for (const err of problems) log.error({ err }, 'a sweep failed and will try again');
    if (wake.units || wake.workers.length > 0) exchange.wake(wake);
  };
  const prune = async (): Promise<void> => {
    await pruneCalls(db);
    await pruneChanges(db, limits.feedKeepMs);
  };
  const loops = [repeat(sweep, limits.sweepMs, log), repeat(prune, limits.pruneMs, log)];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function repeat(work: () => Promise<void>, everyMs: number, log: FastifyBaseLogger): { stop(): Promise<void> } {
  const end = new AbortController();
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await work().catch((err: unknown) => log.error({ err }, 'housekeeping failed and will try again'));
      await sleep(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop() {
      end.abort();
      await running;
    },
  };
}
