/** One combiner a server: all requests that wait when a transaction ends share the next one. */

import { Fault, limits, refuse, type RequestId, type WorkerId, type WorkStore, type WorkWake } from '@assay/core';
import type { SignedRequest } from './signed-request.ts';
import { runTick, type TickAnswer, type TickDeps, type TickRequest, type TickResult } from './tick.ts';
import { createWaitingRoom, type Waiting } from './waiting-room.ts';

export interface Combiner {
  /** The answer to a checked request, at the latest when it has waited for as long as it wished. */
  submit(signed: SignedRequest): Promise<TickAnswer>;
  /** Looks again at requests that wait, because another server or use case changed something. */
  wake(wake: WorkWake | 'all'): void;
  /** Answers everyone who waits and takes no more. */
  close(): Promise<void>;
}

export interface CombinerDeps extends TickDeps {
  readonly store: WorkStore;
  /** Milliseconds that only ever grow, for deadlines. */
  readonly nowMs: () => number;
}

/** A request between its arrival and its answer. */
interface Pending extends Waiting {
  readonly id: RequestId;
  readonly signed: SignedRequest;
  readonly deadlineMs: number;
  heard: boolean;
  stored: boolean;
  /** The number of the tick after which it queued only because units may wait for takers. */
  wokenBy: number | undefined;
  readonly answer: Promise<TickAnswer>;
  resolve(answer: TickAnswer): void;
  reject(error: unknown): void;
}

const nothing = { offers: [], reveal: [], stop: [], refused: [], stored: false } satisfies TickAnswer;

/** The combiner of one server. */
export function createCombiner(deps: CombinerDeps): Combiner {
  const room = createWaitingRoom<Pending>();
  const open = new Map<RequestId, Pending>();
  const queue: Pending[] = [];
  let pumping: Promise<void> | undefined;
  /** News that came while a tick ran: it may concern requests that the tick is about to seat. */
  const missed: (WorkWake | 'all')[] = [];
  let serving = false;
  let ticks = 0;
  let closed = false;

  const enqueue = (one: Pending): void => {
    queue.push(one);
    pumping ??= pump().finally(() => {
      pumping = undefined;
    });
  };

  const pump = async (): Promise<void> => {
    // Requests that arrive in the same turn of the event loop share the first tick.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    while (queue.length > 0) {
      ticks += 1;
      serving = true;
      await serve(queue.splice(0, limits.tickRequests));
      serving = false;
      for (const news of missed.splice(0)) callUp(news);
    }
  };

  const serve = async (batch: readonly Pending[]): Promise<void> => {
    const requests: TickRequest[] = batch.map(({ signed, heard, stored }) => ({ signed, heard, stored }));
    let result: TickResult;
    try {
      result = await deps.store.transaction((tx) => runTick(tx, deps, requests));
    } catch (error) {
      if (batch.length === 1 || error instanceof Fault) {
        for (const one of batch) one.reject(error);
        return;
      }
      // One request that breaks a rule of ours must not take the others with it.
      for (const one of batch) await serve([one]);
      return;
    }
    for (const one of batch) settle(one, result.answers.get(one.id));
    if (result.poolEmpty) seatAgain();
    callUp({ workers: result.wakeWorkers, units: result.wakeUnits });
  };

  const settle = (one: Pending, answer: TickAnswer | Error | undefined): void => {
    if (answer === undefined || answer instanceof Error) {
      one.reject(answer ?? new Error('a tick answers every request'));
      return;
    }
    one.heard = true;
    one.stored ||= answer.stored;
    const news = answer.offers.length + answer.reveal.length + answer.stop.length + answer.refused.length > 0;
    if (news || closed || deps.nowMs() >= one.deadlineMs) one.resolve(answer);
    else room.enter({ ...one, waitMs: one.deadlineMs - deps.nowMs() });
  };

  /** Back to their seats with those who queued for units before this tick found that there are none. */
  const seatAgain = (): void => {
    const idle = queue.filter((one) => one.wokenBy !== undefined && one.wokenBy < ticks);
    if (idle.length === 0) return;
    queue.splice(0, queue.length, ...queue.filter((one) => !idle.includes(one)));
    for (const one of idle) settle(one, nothing);
  };

  const wake = (news: WorkWake | 'all'): void => {
    if (serving) missed.push(news);
    callUp(news);
  };

  const callUp = (news: WorkWake | 'all'): void => {
    if (news === 'all') {
      for (const one of room.callAll()) enqueue(one);
      return;
    }
    for (const worker of news.workers) {
      const one = room.call(worker);
      if (one) enqueue({ ...one, wokenBy: undefined });
    }
    if (news.units) for (const one of room.callClaiming()) enqueue({ ...one, wokenBy: ticks });
  };

  return {
    async submit(signed) {
      if (closed) throw refuse('server.stopping', 'the server is stopping');
      const known = open.get(signed.envelope.request);
      if (known && known.signed.envelope.bodySha256 === signed.envelope.bodySha256) return known.answer;
      if (known) throw refuse('idempotency.key_reused', 'the request id is in use with another request');
      const one = pendingOf(signed, deps.nowMs());
      open.set(one.id, one);
      room.call(one.worker)?.giveUp();
      enqueue(one);
      return one.answer.finally(() => open.delete(one.id));
    },
    wake,
    async close() {
      closed = true;
      for (const one of room.callAll()) one.giveUp();
      await pumping;
    },
  };
}

function pendingOf(signed: SignedRequest, nowMs: number): Pending {
  const { promise, resolve, reject } = Promise.withResolvers<TickAnswer>();
  const { body, envelope } = signed;
  const worker: WorkerId = envelope.worker;
  return {
    id: envelope.request,
    worker,
    signed,
    claims: body.claim > 0,
    waitMs: body.waitMs,
    deadlineMs: nowMs + body.waitMs,
    heard: false,
    stored: false,
    wokenBy: undefined,
    answer: promise,
    resolve,
    reject,
    giveUp: () => resolve(nothing),
  };
}
