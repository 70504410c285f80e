/** Ctrl-C and the end that a supervisor asks for, once gently; a second time the process ends at once. */

export interface Interruption {
  readonly signal: AbortSignal;
  /** Resolves when somebody asks to end. */
  readonly promise: Promise<void>;
  release(): void;
}

export function interruption(): Interruption {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
    resolve(undefined);
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: stop.signal,
    promise: promise.then(() => undefined),
    release() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
