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
import { createLanes, createUnitMemory, type Laned, type Lanes, type UnitMemory } from './tick-lanes.ts';
import { createWaitingRoom, type Waiting, type WaitingRoom } from './waiting-room.ts';

export interface Combiner {
  /** The answer to a checked request, at the latest when it has waited for as long as it wished. */
  submit(signed: SignedRequest): Promise<TickAnswer>;
  /** Looks again at requests that wait, because another server or use case changed something. */
  wake(wake: WorkWake | 'all'): void;
  figures(): ExchangeFigures;
  /** Answers everyone who waits and takes no more. */
  close(): Promise<void>;
}

/** What a server's exchange is busy with. */
export interface ExchangeFigures {
  /** Requests that wait for the next transaction. */
  readonly queued: number;
  /** Requests that wait for work to come. */
  readonly seated: number;
  /** Transactions since the start. */
  readonly ticks: number;
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

/** What one combiner works with. */
interface Office {
  readonly deps: CombinerDeps;
  readonly room: WaitingRoom<Pending>;
  readonly memory: UnitMemory;
  readonly lanes: Lanes<Pending>;
  readonly open: Map<RequestId, Pending>;
  readonly queue: Pending[];
  /** News that came while ticks ran, with those ticks: it may concern requests that they are about to seat. */
  readonly missed: Set<{ readonly news: News; readonly ticks: Set<number> }>;
  readonly active: Set<number>;
  readonly pumps: Set<Promise<void>>;
  ticks: number;
  closed: boolean;
}

/** The combiner of one server. */
export function createCombiner(deps: CombinerDeps): Combiner {
  const office: Office = {
    deps,
    room: createWaitingRoom(),
    memory: createUnitMemory(),
    lanes: createLanes(),
    open: new Map(),
    queue: [],
    missed: new Set(),
    active: new Set(),
    pumps: new Set(),
    ticks: 0,
    closed: false,
  };
  return {
    submit: (signed) => submit(office, signed),
    wake: (news) => wake(office, news),
    figures: () => ({ queued: office.queue.length, seated: office.room.size, ticks: office.ticks }),
    async close() {
      office.closed = true;
      for (const one of office.room.callAll()) one.giveUp();
      while (office.pumps.size > 0) await Promise.all(office.pumps);
    },
  };
}

async function submit(office: Office, signed: SignedRequest): Promise<TickAnswer> {
  const { open, memory, room } = office;
  if (office.closed) throw refuse('server.stopping', 'the server is stopping');
  const known = open.get(signed.envelope.request);
  if (known && known.signed.envelope.bodySha256 === signed.envelope.bodySha256) return known.answer;
  if (known) throw refuse('idempotency.key_reused', 'the request id is in use with another request');
  const one = pendingOf(signed, office.deps.nowMs(), memory.unitsOf(signed.body));
  open.set(one.id, one);
  room.call(one.worker)?.giveUp();
  enqueue(office, one);
  return one.answer.finally(() => open.delete(one.id));
}

function enqueue(office: Office, one: Pending): void {
  office.queue.push(one);
  startPump(office);
}

function startPump(office: Office): void {
  const { pumps, queue } = office;
  if (pumps.size >= limits.tickLanes) return;
  const pump = run(office).finally(() => {
    pumps.delete(pump);
    if (queue.length > 0 && pumps.size === 0) startPump(office);
  });
  pumps.add(pump);
}

async function run(office: Office): Promise<void> {
  const { lanes, queue, active, missed } = office;
  // Requests that arrive in the same turn of the event loop share a tick.
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  for (let batch = lanes.board(queue); batch.length > 0; batch = lanes.board(queue)) {
    office.ticks += 1;
    const tick = office.ticks;
    active.add(tick);
    await serve(office, batch, tick);
    active.delete(tick);
    lanes.leave(batch);
    for (const one of missed) {
      callUp(office, one.news);
      one.ticks.delete(tick);
      if (one.ticks.size === 0) missed.delete(one);
    }
  }
}

async function serve(office: Office, batch: readonly Pending[], tick: number, lane = batch): Promise<void> {
  const { deps, active, lanes } = office;
  const freeing: (() => void)[] = [];
  const tickDeps: TickDeps = {
    ...deps,
    busyBeside: () => lanes.beside(lane),
    onLocked: (units) => void freeing.push(lanes.occupy(units)),
  };
  const requests: TickRequest[] = batch.map(({ signed, heard, stored }) => ({ signed, heard, stored }));
  const beside = new Set(active);
  let result: TickResult;
  try {
    result = await deps.store.transaction((tx) => runTick(tx, tickDeps, requests));
  } catch (error) {
    if (batch.length === 1 || error instanceof Fault) {
      for (const one of batch) one.reject(error);
      return;
    }
    // One request that breaks a rule of ours must not take the others with it.
    for (const one of batch) await serve(office, [one], tick, lane);
    return;
  } finally {
    for (const free of freeing) free();
  }
  for (const one of active) beside.add(one);
  const alone = beside.size === 1;
  for (const one of batch) settle(office, one, result.answers.get(one.id), alone);
  if (result.poolEmpty && alone) seatAgain(office, tick);
  wake(office, { workers: result.wakeWorkers, units: result.wakeUnits });
}

function settle(office: Office, one: Pending, answer: TickAnswer | Error | undefined, alone: boolean): void {
  const { deps, memory, room } = office;
  if (answer === undefined || answer instanceof Error) {
    one.reject(answer ?? new Error('a tick answers every request'));
    return;
  }
  for (const { replica, unit } of answer.offers) memory.remember(replica, unit);
  const heard: Pending = { ...one, heard: true, stored: one.stored || answer.stored, units: [] };
  const news = answer.offers.length + answer.reveal.length + answer.stop.length + answer.refused.length > 0;
  if (news || office.closed || deps.nowMs() >= one.deadlineMs) one.resolve(answer);
  else if (one.claims && !alone && !one.rechecked) enqueue(office, { ...heard, rechecked: true });
  else room.enter({ ...heard, waitMs: one.deadlineMs - deps.nowMs() });
}

/** Back to their seats with those who queued for units before a tick began that found none. */
function seatAgain(office: Office, tick: number): void {
  const { queue } = office;
  const idle = queue.filter((one) => one.wokenBy !== undefined && one.wokenBy < tick);
  if (idle.length === 0) return;
  queue.splice(0, queue.length, ...queue.filter((one) => !idle.includes(one)));
  for (const one of idle) settle(office, one, nothing, true);
}

function wake(office: Office, news: News): void {
  if (office.active.size > 0) office.missed.add({ news, ticks: new Set(office.active) });
  callUp(office, news);
}

/** Queues those whom the news concerns. */
function callUp(office: Office, news: News): void {
  const { room } = office;
  if (news === 'all') {
    for (const one of room.callAll()) enqueue(office, one);
    return;
  }
  for (const worker of news.workers) {
    const one = room.call(worker);
    if (one) enqueue(office, { ...one, wokenBy: undefined });
  }
  if (news.units) for (const one of room.callClaiming()) enqueue(office, { ...one, wokenBy: office.ticks });
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
