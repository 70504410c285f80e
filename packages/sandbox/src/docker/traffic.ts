/** Counts a driver's containers: how many there are, whether units run, and who of those that are done goes when. */

import { setTimeout as pause } from 'node:timers/promises';
import { bounds } from './bounds.ts';
import type { Cell } from './cell.ts';
import { laneOf } from './lane.ts';

export interface Traffic {
  /** A unit wants a container, and is done with it. */
  begin(): void;
  end(): void;
  /** Starts a container as soon as there is room for one. */
  enter(start: () => Promise<Cell>): Promise<Cell>;
  /** Removes a container that is not needed any more, when there is time. */
  leave(cell: Cell): void;
  /** Resolves when there is time for work that nobody waits for: no unit runs, or some have for too long. */
  quiet(): Promise<void>;
  /** There is time for everything from now on. */
  close(): void;
  /** Resolves when everything that was to leave is gone. */
  empty(): Promise<void>;
}

export function trafficOf(note: (text: string) => void): Traffic {
  const starts = laneOf(bounds.starts);
  const removals = laneOf(bounds.removals);
  const removing = new Set<Promise<void>>();
  const state = { busy: 0, closed: false, stirredAt: 0, alive: 0, heldBytes: 0 };
  const isQuiet = () => state.closed || (state.busy === 0 && performance.now() > state.stirredAt + bounds.quietMs);
  const isCrowded = () => state.alive > bounds.containers || state.heldBytes > bounds.removalBytes;
  const standBack = async (since: number, isPressing: () => boolean) => {
    const isDue = () => isQuiet() || isPressing() || performance.now() > since + bounds.standBackMs;
    while (!isDue()) await pause(bounds.standBackLookMs);
  };
  return {
    begin() {
      state.busy += 1;
    },
    end() {
      state.busy -= 1;
      state.stirredAt = performance.now();
    },
    enter: (start) =>
      starts(async () => {
        // Who is faster than the removals waits for them.
        while (isCrowded() && removing.size > 0) await Promise.race(removing);
        state.alive += 1;
        try {
          return await start();
        } catch (error) {
          state.alive -= 1;
          throw error;
        }
      }),
    leave(cell) {
      const since = performance.now();
      const bytes = cell.memoryBytes();
      state.heldBytes += bytes;
      const removal = removals(async () => {
        await standBack(since, isCrowded);
        await cell.remove().catch((error: unknown) => note(`a container was not removed: ${String(error)}`));
      }).finally(() => {
        removing.delete(removal);
        state.alive -= 1;
        state.heldBytes -= bytes;
      });
      removing.add(removal);
    },
    quiet: () => standBack(performance.now(), () => false),
    close() {
      state.closed = true;
    },
    async empty() {
      await Promise.all(removing);
    },
  };
}
