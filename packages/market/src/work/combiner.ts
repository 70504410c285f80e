/** One combiner a server: all requests that wait when a transaction ends share the next one. */

import {
  Fault,
  limits,
  refuse,
  type RequestId,
  type UnitId,
  type WorkerId,
  type WorkStore,
  type WorkWake,
} from '@assay/core';
import type { SignedRequest } from './signed-request.ts';
import { runTick, type TickAnswer, type TickDeps, type TickRequest, type TickResult } from './tick.ts';
import { createLanes, createUnitMemory, type Laned } from './tick-lanes.ts';
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
interface Pending extends Waiting, Laned {
  readonly id: RequestId;
  readonly signed: SignedRequest;
  readonly deadlineMs: number;
  heard: boolean;
  stored: boolean;
  /** The number of the tick after which it queued only because units may wait for takers. */
  wokenBy: number | undefined;
  /** It found no unit while another tick had some under its locks, and looked again when that tick was through. */
  rechecked: boolean;
  readonly answer: Promise<TickAnswer>;
  resolve(answer: TickAnswer): void;
  reject(error: unknown): void;
}

type News = WorkWake | 'all';

const nothing = { offers: [], reveal: [], stop: [], refused: [], stored: false } satisfies TickAnswer;

/** The combiner of one server. */
export function createCombiner(deps: CombinerDeps): Combiner {
  const room = createWaitingRoom<Pending>();
  const memory = createUnitMemory();
  const lanes = createLanes<Pending>();
  const open = new Map<RequestId, Pending>();
  const queue: Pending[] = [];
  /** News that came while ticks ran, with those ticks: it may concern requests that they are about to seat. */
  const missed = new Set<{ readonly news: News; readonly ticks: Set<number> }>();
  const active = new Set<number>();
  const pumps = new Set<Promise<void>>();
  let ticks = 0;
  let closed = false;

  const enqueue = (one: Pending): void => {
    queue.push(one);
    if (pumps.size >= limits.tickLanes) return;
    const pump = run().finally(() => {
      pumps.delete(pump);
      if (queue.length > 0 && pumps.size === 0) restart();
    });
    pumps.add(pump);
  };

  const restart = (): void => {
    const one = queue.pop();
    if (one) enqueue(one);
  };

  const run = async (): Promise<void> => {
    // Requests that arrive in the same turn of the event loop share a tick.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    for (let batch = lanes.board(queue); batch.length > 0; batch = lanes.board(queue)) {
      ticks += 1;
      const tick = ticks;
      active.add(tick);
      await serve(batch, tick);
      active.delete(tick);
      lanes.leave(batch);
      for (const one of missed) {
        callUp(one.news);
        one.ticks.delete(tick);
        if (one.ticks.size === 0) missed.delete(one);
      }
    }
  };

  const serve = async (batch: readonly Pending[], tick: number): Promise<void> => {
    const requests: TickRequest[] = batch.map(({ signed, heard, stored }) => ({ signed, heard, stored }));
    const besides = new Set(active);
    let result: TickResult;
    try {
      result = await deps.store.transaction((tx) => runTick(tx, deps, requests));
    } catch (error) {
      if (batch.length === 1 || error instanceof Fault) {
        for (const one of batch) one.reject(error);
        return;
      }
      // One request that breaks a rule of ours must not take the others with it.
      for (const one of batch) await serve([one], tick);
      return;
    }
    for (const one of active) besides.add(one);
    const alone = besides.size === 1;
    for (const one of batch) settle(one, result.answers.get(one.id), alone);
    if (result.poolEmpty && alone) seatAgain(tick);
    wake({ workers: result.wakeWorkers, units: result.wakeUnits });
  };

  const settle = (one: Pending, answer: TickAnswer | Error | undefined, alone: boolean): void => {
    if (answer === undefined || answer instanceof Error) {
      one.reject(answer ?? new Error('a tick answers every request'));
      return;
    }
    for (const { replica, unit } of answer.offers) memory.remember(replica, unit);
    const heard = { ...one, heard: true, stored: one.stored || answer.stored, units: [] };
    const news = answer.offers.length + answer.reveal.length + answer.stop.length + answer.refused.length > 0;
    if (news || closed || deps.nowMs() >= one.deadlineMs) one.resolve(answer);
    else if (one.claims && !alone && !one.rechecked) enqueue({ ...heard, rechecked: true });
    else room.enter({ ...heard, waitMs: one.deadlineMs - deps.nowMs() });
  };

  /** Back to their seats with those who queued for units before a tick began that found none. */
  const seatAgain = (tick: number): void => {
    const idle = queue.filter((one) => one.wokenBy !== undefined && one.wokenBy < tick);
    if (idle.length === 0) return;
    queue.splice(0, queue.length, ...queue.filter((one) => !idle.includes(one)));
    for (const one of idle) settle(one, nothing, true);
  };

  const wake = (news: News): void => {
    if (active.size > 0) missed.add({ news, ticks: new Set(active) });
    callUp(news);
  };

  const callUp = (news: News): void => {
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
      const one = pendingOf(signed, deps.nowMs(), memory.unitsOf(signed.body));
      open.set(one.id, one);
      room.call(one.worker)?.giveUp();
      enqueue(one);
      return one.answer.finally(() => open.delete(one.id));
    },
    wake,
    async close() {
      closed = true;
      for (const one of room.callAll()) one.giveUp();
      while (pumps.size > 0) await Promise.all(pumps);
    },
  };
}

function pendingOf(signed: SignedRequest, nowMs: number, units: readonly UnitId[]): Pending {
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
    rechecked: false,
    units,
    answer: promise,
    resolve,
    reject,
    giveUp: () => resolve(nothing),
  };
}
