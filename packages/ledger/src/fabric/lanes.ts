/**
 * Order among submissions: those that name the same things go one after the other, the rest side by side. On Fabric a
 * transaction sees only committed blocks, so what depends on another one must wait for its block.
 */

export interface Lanes {
  /** Runs `work` after everything that was given before under one of `names`. */
  run<T>(names: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** At most `width` works run at the same time. */
export function openLanes(width: number): Lanes {
  const tails = new Map<string, Promise<unknown>>();
  const queue: (() => void)[] = [];
  let running = 0;
  const enter = async (): Promise<void> => {
    if (running < width) running += 1;
    // Whoever leaves hands its place over.
    else await new Promise<void>((resolve) => queue.push(resolve));
  };
  const leave = (): void => {
    const next = queue.shift();
    if (next) next();
    else running -= 1;
  };
  return {
    run(names, work) {
      const before = Promise.allSettled(names.map((name) => tails.get(name) ?? Promise.resolve()));
      const done = before.then(async () => {
        await enter();
        try {
          return await work();
        } finally {
          leave();
        }
      });
      const tail = done
        .catch(() => undefined)
        .finally(() => {
          for (const name of names) if (tails.get(name) === tail) tails.delete(name);
        });
      for (const name of names) tails.set(name, tail);
      return done;
    },
  };
}
