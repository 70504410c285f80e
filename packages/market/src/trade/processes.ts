/** The background work: each process moves what is ready one step on, alone or beside others of its kind. */

import { limits, type TradeChannel } from '@assay/core';
import { expireJobs } from './cancel-job.ts';
import { askProviders, consumeInbox } from './consume-inbox.ts';
import { followLedger } from './follow-ledger.ts';
import { pumpLedger } from './pump-ledger.ts';
import { pumpProvider } from './pump-provider.ts';
import { queuePayouts } from './queue-payouts.ts';
import { releaseDue } from './release-due.ts';
import type { TradeDeps } from './trade-deps.ts';

/** One kind of background work. Running it once returns how much it did; zero means that nothing was ready. */
export interface TradeProcess {
  readonly name: string;
  readonly run: (deps: TradeDeps) => Promise<number>;
  /** The longest pause between two looks. */
  readonly everyMs: number;
  /** What wakes it before. */
  readonly wokenBy?: TradeChannel;
}

/** All of it; the order is that of a job's life, so that one round in this order moves a job as far as it can. */
export const tradeProcesses: readonly TradeProcess[] = [
  { name: 'expire unpaid jobs', run: expireJobs, everyMs: 10_000 },
  { name: 'send to payment providers', run: pumpProvider, everyMs: 1_000, wokenBy: 'outbox' },
  { name: 'read webhooks', run: consumeInbox, everyMs: 1_000, wokenBy: 'inbox' },
  { name: 'ask payment providers', run: askProviders, everyMs: 5_000 },
  { name: 'release after the challenge window', run: releaseDue, everyMs: 500, wokenBy: 'outbox' },
  { name: 'submit to the ledger', run: pumpLedger, everyMs: 500, wokenBy: 'outbox' },
  { name: 'follow the ledger', run: followLedger, everyMs: 1_000, wokenBy: 'facts' },
  { name: 'queue payouts', run: queuePayouts, everyMs: 1_000 },
];

/** Runs every process until nothing is ready at this moment; returns how much was done. For simulations and tests. */
export async function runToQuiet(deps: TradeDeps): Promise<number> {
  for (let total = 0; ;) {
    let done = 0;
    for (const process of tradeProcesses) done += await process.run(deps);
    if (done === 0) return total;
    total += done;
  }
}

/**
 * Starts all processes. What fails is told to `onProblem` and tried again with growing pauses. `stop` waits for what is
 * running.
 */
export async function startProcesses(deps: TradeDeps): Promise<{ stop(): Promise<void> }> {
  const loops = tradeProcesses.map((process) => startLoop(deps, process));
  const channels = [...new Set(tradeProcesses.flatMap((process) => process.wokenBy ?? []))];
  const subscriptions = await Promise.all(
    channels.map((channel) =>
      deps.store.listen(channel, () => {
        for (const loop of loops) if (loop.wokenBy === channel) loop.wake();
      }),
    ),
  );
  return {
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

interface Loop {
  readonly wokenBy: TradeChannel | undefined;
  wake(): void;
  stop(): Promise<void>;
}

function startLoop(deps: TradeDeps, process: TradeProcess): Loop {
  const state = { stopped: false, woken: false, failures: 0, interrupt: (): void => undefined };
  const running = runLoop(deps, process, state);
  return {
    wokenBy: process.wokenBy,
    wake() {
      state.woken = true;
      // While it fails it keeps its pauses: news do not mend what is broken.
      if (state.failures === 0) state.interrupt();
    },
    async stop() {
      state.stopped = true;
      state.interrupt();
      await running;
    },
  };
}

interface LoopState {
  stopped: boolean;
  woken: boolean;
  failures: number;
  interrupt: () => void;
}

async function runLoop(deps: TradeDeps, process: TradeProcess, state: LoopState): Promise<void> {
  while (!state.stopped) {
    state.woken = false;
    const done = await runOnce(deps, process, state);
    if (state.stopped) return;
    const { everyMs } = process;
    if (state.failures > 0) {
      await pause(state, Math.min(limits.processPauseMaxMs, everyMs * 2 ** Math.min(state.failures, 10)));
    } else if (done === 0 && !state.woken) {
      await pause(state, everyMs);
    }
  }
}

async function runOnce(deps: TradeDeps, process: TradeProcess, state: LoopState): Promise<number> {
  try {
    const done = await process.run(deps);
    state.failures = 0;
    return done;
  } catch (error) {
    state.failures += 1;
    deps.onProblem(process.name, error);
    return 0;
  }
}

function pause(state: LoopState, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    state.interrupt = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
