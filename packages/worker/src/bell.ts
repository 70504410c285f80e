/** Wakes a loop: rings that come while nobody waits are remembered as one. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, or after `ms`, or when `signal` is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A bell that has not been rung. */
export function bell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    wait(ms, signal) {
      if (rung || signal?.aborted) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          wake = undefined;
          rung = false;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal?.addEventListener('abort', done, { once: true });
        wake = done;
      });
    },
  };
}
