/**
 * Lets calls to the outside through one at a time, in the order that the simulation chooses. Between two of its calls a
 * step runs alone; at each call it waits here while other steps, on this server or another one, go on.
 */

import { AsyncLocalStorage } from 'node:async_hooks';

/** A call that waits to be let through. */
export interface Waiting {
  readonly server: string;
  readonly label: string;
  letThrough(): void;
  refuse(error: Error): void;
}

export interface Turnstile {
  /** Runs `call` when its turn comes. */
  pass<T>(server: string, label: string, call: () => Promise<T>): Promise<T>;
  /** Runs `call` at once; nothing counts as settled before it has ended. */
  watch<T>(call: () => Promise<T>): Promise<T>;
  readonly waiting: readonly Waiting[];
  /** Takes one out and lets it go on. */
  letThrough(one: Waiting): void;
  /** Ends every waiting call of a server that died. */
  dropServer(server: string, error: Error): void;
  /** While open, calls go through without waiting. */
  open: boolean;
  /** Resolves when every step waits here or has ended. */
  settled(): Promise<void>;
}

/** Turns of the event loop without a call after which nothing moves by itself: a step may yield once or twice. */
const calmTurns = 4;

export function turnstile(): Turnstile {
  const waiting: Waiting[] = [];
  let running = 0;
  let idle = Promise.withResolvers<void>();
  /** Where a call runs: a transaction may ask the database something beside itself. */
  const inside = new AsyncLocalStorage<{ runs: boolean }>();
  const enter = async (server: string, label: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ server, label, letThrough: resolve, refuse: reject });
    await promise;
  };
  const watch = async <T>(call: () => Promise<T>): Promise<T> => {
    const here = { runs: true };
    running += 1;
    try {
      return await inside.run(here, call);
    } finally {
      here.runs = false;
      running -= 1;
      if (running === 0) {
        idle.resolve();
        idle = Promise.withResolvers<void>();
      }
    }
  };
  return {
    waiting,
    open: true,
    watch,
    async pass(server, label, call) {
      if (!this.open && inside.getStore()?.runs !== true) await enter(server, label);
      return await watch(call);
    },
    letThrough(one) {
      waiting.splice(waiting.indexOf(one), 1);
      one.letThrough();
    },
    dropServer(server, error) {
      const dropped = waiting.filter((one) => one.server === server);
      waiting.splice(0, waiting.length, ...waiting.filter((one) => one.server !== server));
      for (const one of dropped) one.refuse(error);
    },
    async settled() {
      for (let calm = 0; calm < calmTurns; calm += 1) {
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
        if (running === 0) continue;
        await idle.promise;
        calm = -1;
      }
    },
  };
}
