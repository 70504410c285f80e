/** The exchange of work: one signed request carries results and claims, and one answer carries offers and news. */

import {
  isoTime,
  type Clock,
  type IdSource,
  type JobId,
  type OfferRow,
  type Sha256,
  type WorkStore,
  type WorkWake,
} from '@assay/core';
import { createCombiner, type ExchangeFigures } from './combiner.ts';
import type { VerifySignature } from './device-signature.ts';
import type { ExchangeReply, JobSpec, Offer } from './exchange-reply.ts';
import { createJobFacts } from './job-facts.ts';
import { checkRequest, type SignedHeaders } from './signed-request.ts';
import type { TickAnswer } from './tick.ts';
import { createWorkerDirectory, type WorkerDirectory } from './worker-directory.ts';

export interface ExchangeDeps {
  readonly store: WorkStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
  /** Network blocks do not count for independence: for deployments on one machine. */
  readonly ignoreNetwork: boolean;
  /** Digests of runners that count; none named means any. */
  readonly runnerDigests?: readonly string[];
}

export interface Exchange {
  /**
   * Answers one signed request over its raw body. Refuses what `checkRequest` refuses, `idempotency.key_reused`,
   * `replica.not_found` for a result of an unknown replica, and `server.stopping`.
   */
  handle(headers: SignedHeaders, raw: Uint8Array): Promise<ExchangeReply>;
  /** What the server remembers of workers, for its other signed routes. */
  readonly workers: WorkerDirectory;
  /** Looks again at waiting requests. */
  wake(wake: WorkWake | 'all'): void;
  figures(): ExchangeFigures;
  /** Answers everyone who waits and takes no more requests. */
  close(): Promise<void>;
}

/** The exchange of one server, which listens to what others commit. */
export async function openExchange(deps: ExchangeDeps): Promise<Exchange> {
  const { store, clock } = deps;
  const nowMs = (): number => clock.nowMs();
  const facts = createJobFacts(store);
  const workers = createWorkerDirectory({ ...deps, nowMs });
  const openJobs = (limit: number): Promise<readonly JobId[]> => store.openJobs(limit);
  const combiner = createCombiner({ ...deps, facts, openJobs, nowMs });
  const listening = await store.listen((wake) => combiner.wake(wake));
  const checkDeps = { ...deps, workers, nowMs };
  return {
    async handle(headers, raw) {
      const signed = await checkRequest(checkDeps, headers, raw);
      return replyOf(await combiner.submit(signed), signed.body.knownJobs);
    },
    workers,
    wake: (wake) => combiner.wake(wake),
    figures: () => combiner.figures(),
    async close() {
      await listening.close();
      await combiner.close();
    },
  };

  async function replyOf(
    { offers, reveal, stop, refused }: TickAnswer,
    knownJobs: readonly JobId[],
  ): Promise<ExchangeReply> {
    const jobs: Record<string, JobSpec> = {};
    if (offers.length === 0) return { offers: [], jobs, reveal, stop, refused };
    const asked = new Set(offers.map((offer) => offer.job));
    for (const job of knownJobs) asked.delete(job);
    const known = await facts.load(asked);
    for (const job of asked) {
      const spec = known.get(job)?.spec;
      if (spec) jobs[job] = spec;
    }
    const merges = offers.some((offer) => offer.kind === 'merge');
    const written = merges ? await Promise.all(offers.map(mergeOf)) : offers.map(offerOf);
    return { offers: written, jobs, reveal, stop, refused };
  }

  async function mergeOf(offer: OfferRow): Promise<Offer> {
    const plain = offerOf(offer);
    return offer.kind === 'merge' ? { ...plain, inputs: await store.mergeInputs(offer.job) } : plain;
  }
}

function offerOf({ replica, unit, job, kind, ordinal, machineClass, leaseUntilMs }: OfferRow): Offer {
  return { replica, unit, job, kind, ordinal, machineClass, leaseUntil: isoTime(leaseUntilMs) };
}
