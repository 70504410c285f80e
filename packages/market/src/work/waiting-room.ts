/** Requests that wait for something to do: one a worker, each until its deadline. */

import { limits, type WorkerId } from '@assay/core';

/** Whoever waits. */
export interface Waiting {
  readonly worker: WorkerId;
  /** Whether new units are of interest, or only news of what the worker holds. */
  readonly claims: boolean;
  readonly waitMs: number;
  /** Ends the waiting with nothing. */
  giveUp(): void;
}

export interface WaitingRoom<W extends Waiting> {
  /** Seats a request; one of the same worker that waits gives up, and so does this one when the room is full. */
  enter(one: W): void;
  /** Takes out the waiting request of a worker. */
  call(worker: WorkerId): W | undefined;
  /** Takes out everyone who claims, the longest waiting first. */
  callClaiming(): W[];
  /** Takes out everyone. */
  callAll(): W[];
  readonly size: number;
}

/** An empty room. */
export function createWaitingRoom<W extends Waiting>(): WaitingRoom<W> {
  const seats = new Map<WorkerId, { readonly one: W; readonly timer: NodeJS.Timeout }>();

  const call = (worker: WorkerId): W | undefined => {
    const seat = seats.get(worker);
    if (seat === undefined) return undefined;
    clearTimeout(seat.timer);
    seats.delete(worker);
    return seat.one;
  };

  return {
    enter(one) {
      call(one.worker)?.giveUp();
      if (seats.size >= limits.exchangeWaiters) return one.giveUp();
      const timer = setTimeout(() => call(one.worker)?.giveUp(), one.waitMs);
      seats.set(one.worker, { one, timer });
    },
    call,
    callClaiming: () =>
      [...seats.values()].filter(({ one }) => one.claims).flatMap(({ one }) => call(one.worker) ?? []),
    callAll: () => [...seats.keys()].flatMap((worker) => call(worker) ?? []),
    get size() {
      return seats.size;
    },
  };
}
