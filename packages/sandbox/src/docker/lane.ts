/** Work that may not all happen at once. */

export interface Lane {
  /** Runs `task` when there is room; the order is kept. */
  <T>(task: () => Promise<T>): Promise<T>;
}

/** A lane for so many tasks at a time. */
export function laneOf(width: number): Lane {
  const waiting: (() => void)[] = [];
  let free = width;
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
